package dev.holdfast.cli.guarantees;

import dev.holdfast.boundary.Boundary;
import dev.holdfast.guarantee.Guarantee;
import dev.holdfast.guarantee.Guarantees;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.postgres.PostgresBoundary;
import java.util.List;
import java.util.Map;

/** The guarantees of what this version carries out. */
final class Sheets {
  private Sheets() {}

  static List<Guarantee> all() {
    Boundary postgres = new PostgresBoundary();
    // What a target declares does not depend on where it is, and nobody is asked.
    var kafka = Kafka.to(Map.of("bootstrap.servers", "localhost:9092"));
    return List.of(
        Guarantees.localTransaction(postgres),
        Guarantees.outbox(postgres, kafka),
        Guarantees.outbox(postgres, kafka.plain()),
        Guarantees.inbox(postgres),
        Guarantees.consumer(kafka, postgres));
  }
}
