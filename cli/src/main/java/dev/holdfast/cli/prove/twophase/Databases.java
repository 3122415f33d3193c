package dev.holdfast.cli.prove.twophase;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.internal.twophase.Coordinator;
import dev.holdfast.outbox.OutboxListener;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;

/** Both databases as one process sees them, with all that runs operations on them. */
final class Databases implements AutoCloseable {
  /** Short, so that much happens in a minute; nothing of the protocol depends on it. */
  private static final TwoPhaseSettings SETTINGS =
      TwoPhaseSettings.DEFAULT
          .withLockTimeout(Duration.ofSeconds(1))
          .withDecideWithin(Duration.ofSeconds(2))
          .withRecoverAfter(Duration.ofMillis(20))
          .withRecoveryInterval(Duration.ofMillis(100))
          .withKeepDecisions(Duration.ofMillis(500));

  final HikariDataSource orders;
  final HikariDataSource ledger;
  final Store store;
  final Participant participant;
  final Coordinator coordinator;

  /**
   * @param asynchronous whether the second phase comes behind the reply
   */
  Databases(
      String ordersUrl, String ledgerUrl, Mutant mutant, boolean asynchronous, boolean recovers) {
    orders = pool(ordersUrl);
    ledger = pool(ledgerUrl);
    store = PostgresStore.open(orders, "holdfast");
    participant = Participant.of("ledger", ledger);
    coordinator =
        Coordinator.start(
            new Coordinator.Parts(
                orders,
                store,
                mutant.in(store.decisions()),
                OutboxListener.all(List.of()),
                () -> {},
                InstantSource.system(),
                SETTINGS.withAsynchronousSecondPhase(asynchronous),
                mutant.protocol()),
            List.of(participant),
            recovers);
  }

  private static HikariDataSource pool(String url) {
    HikariConfig config = new HikariConfig();
    config.setJdbcUrl(url + "&options=-c%20lock_timeout=1s&socketTimeout=20");
    config.setMaximumPoolSize(12);
    config.setMinimumIdle(0);
    config.setConnectionTimeout(3_000);
    config.setInitializationFailTimeout(-1);
    return new HikariDataSource(config);
  }

  @Override
  public void close() {
    coordinator.close();
    ledger.close();
    orders.close();
  }
}
