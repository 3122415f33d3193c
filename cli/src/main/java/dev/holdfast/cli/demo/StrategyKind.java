package dev.holdfast.cli.demo;

import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;
import javax.sql.DataSource;

/** The strategies that can be shown. */
enum StrategyKind {
  DB_THEN_BROKER("db-then-broker", false),
  BROKER_THEN_DB("broker-then-db", false),
  OUTBOX("outbox", true);

  private final String id;
  private final boolean promisesZeros;

  StrategyKind(String id, boolean promisesZeros) {
    this.id = id;
    this.promisesZeros = promisesZeros;
  }

  String id() {
    return id;
  }

  /** Whether it must show no violation. */
  boolean promisesZeros() {
    return promisesZeros;
  }

  /** The schema of its order service. */
  String schema() {
    return "demo_" + id.replace('-', '_');
  }

  /** The topic of its messages. */
  String topic() {
    return "orders." + id;
  }

  Strategy open(Wiring wiring) {
    return switch (this) {
      case DB_THEN_BROKER -> new TwoCommits(wiring, false);
      case BROKER_THEN_DB -> new TwoCommits(wiring, true);
      case OUTBOX -> new WithOutbox(wiring);
    };
  }

  /** Whether nothing recorded waits for delivery any more. */
  boolean isSettled(DataSource dataSource) {
    return switch (this) {
      case DB_THEN_BROKER, BROKER_THEN_DB -> true;
      case OUTBOX -> outboxIsEmpty(dataSource);
    };
  }

  static Optional<StrategyKind> byId(String id) {
    return Arrays.stream(values()).filter(kind -> kind.id.equals(id)).findFirst();
  }

  static String ids() {
    return Arrays.stream(values()).map(StrategyKind::id).collect(Collectors.joining(", "));
  }

  private static boolean outboxIsEmpty(DataSource dataSource) {
    Store store = PostgresStore.open(dataSource, WithOutbox.SCHEMA);
    return store.channels().status(WithOutbox.CHANNEL).lagMessages() == 0;
  }
}
