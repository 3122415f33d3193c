package dev.holdfast.cli.demo;

import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import java.util.Arrays;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import javax.sql.DataSource;

/** The strategies that can be shown. */
enum StrategyKind {
  DB_THEN_BROKER("db-then-broker", false, DbThenBroker::new, dataSource -> true),
  BROKER_THEN_DB("broker-then-db", false, BrokerThenDb::new, dataSource -> true),
  OUTBOX("outbox", true, WithOutbox::new, StrategyKind::outboxIsEmpty);

  private final String id;
  private final boolean promisesZeros;
  private final Function<Wiring, Strategy> opener;
  private final Predicate<DataSource> settled;

  StrategyKind(
      String id,
      boolean promisesZeros,
      Function<Wiring, Strategy> opener,
      Predicate<DataSource> settled) {
    this.id = id;
    this.promisesZeros = promisesZeros;
    this.opener = opener;
    this.settled = settled;
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
    return opener.apply(wiring);
  }

  /** Whether nothing recorded waits for delivery any more. */
  boolean isSettled(DataSource dataSource) {
    return settled.test(dataSource);
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
