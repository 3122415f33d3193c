package dev.holdfast.cli.doctor;

import dev.holdfast.HoldfastException;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.kafka.KafkaDoctor;
import dev.holdfast.kafka.KafkaTarget;
import dev.holdfast.postgres.doctor.Deliveries;
import dev.holdfast.postgres.doctor.PostgresDoctor;
import dev.holdfast.postgres.doctor.Reading;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The brokers, by what the database says is delivered to them.
 *
 * @param target {@code null} when no broker is named
 * @param longestLag how long a consumer's offset may stay while there is more
 */
record BrokerExamination(
    PostgresDoctor database, @Nullable KafkaTarget target, Duration longestLag) {

  List<Finding> examine() {
    if (target == null) {
      return List.of(
          new Finding(
              "kafka.connection",
              Severity.NOT_ASKED,
              "",
              "No broker is named.",
              "Topics, replication and access at Kafka, and how far consumers are behind, were not examined.",
              "holdfast doctor --kafka HOST:PORT, or --config FILE",
              Map.of()));
    }
    Deliveries deliveries;
    List<KafkaDoctor.Reading> readings;
    try {
      deliveries = database.deliveries();
      readings = database.readings().stream().map(BrokerExamination::reading).toList();
    } catch (HoldfastException e) {
      return List.of(
          Finding.unknown(
              "kafka.connection",
              "",
              "What is delivered is not known, so the brokers were not asked ("
                  + e.getMessage()
                  + ").",
              "See database.connection, schema.version and roles.rights."));
    }
    return new KafkaDoctor(
            target,
            new KafkaDoctor.Outbox(
                deliveries.storeId(),
                deliveries.channels(),
                deliveries.parkedTopics(),
                deliveries.retention(),
                deliveries.maxPayloadBytes()),
            readings,
            longestLag)
        .examine();
  }

  private static KafkaDoctor.Reading reading(Reading reading) {
    return new KafkaDoctor.Reading(
        reading.consumer(),
        reading.topic(),
        reading.topicId(),
        reading.partition(),
        reading.next(),
        reading.unmoved(),
        reading.reads(),
        reading.idsKept());
  }
}
