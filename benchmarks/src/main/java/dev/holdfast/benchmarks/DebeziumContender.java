package dev.holdfast.benchmarks;

import java.util.Map;
import java.util.Set;

/** Debezium's embedded engine with its outbox event router, and a producer behind it. */
final class DebeziumContender implements Contender {
  @Override
  public String name() {
    return "debezium";
  }

  @Override
  public Set<Mode> modes() {
    return Set.of(Mode.PLAIN);
  }

  @Override
  public boolean takesPart(Measurement measurement) {
    return true;
  }

  @Override
  public String participation() {
    return "as gruelbox; only Kafka Connect, not the embedded engine, has transactions";
  }

  @Override
  public String guarantee(Mode mode) {
    return "at least once; order of the log; a slot that keeps WAL";
  }

  @Override
  public Map<String, String> settings() {
    return BestSettings.debezium();
  }

  @Override
  public int backlog(int messages) {
    return messages;
  }

  @Override
  public Entry enter(Venue venue) {
    return new DebeziumEntry(venue);
  }
}
