package dev.holdfast.cli.doctor;

import dev.holdfast.HoldfastException;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.kafka.KafkaDoctor;
import dev.holdfast.kafka.KafkaTarget;
import dev.holdfast.postgres.doctor.Deliveries;
import dev.holdfast.postgres.doctor.PostgresDoctor;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The brokers, by what the database says is delivered to them.
 *
 * @param target {@code null} when no broker is named
 */
record BrokerExamination(PostgresDoctor database, @Nullable KafkaTarget target) {

  List<Finding> examine() {
    if (target == null) {
      return List.of(
          new Finding(
              "kafka.connection",
              Severity.NOT_ASKED,
              "",
              "No broker is named.",
              "Topics, replication and access at Kafka were not examined.",
              "holdfast doctor --kafka HOST:PORT, or --config FILE",
              Map.of()));
    }
    Deliveries deliveries;
    try {
      deliveries = database.deliveries();
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
                deliveries.maxPayloadBytes()))
        .examine();
  }
}
