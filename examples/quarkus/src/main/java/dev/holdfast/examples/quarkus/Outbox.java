package dev.holdfast.examples.quarkus;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.kafka.Kafka;
import io.agroal.api.AgroalDataSource;
import io.quarkus.runtime.ShutdownEvent;
import io.quarkus.runtime.StartupEvent;
import jakarta.enterprise.context.ApplicationScoped;
import jakarta.enterprise.event.Observes;
import jakarta.transaction.Status;
import jakarta.transaction.Synchronization;
import jakarta.transaction.TransactionSynchronizationRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.jspecify.annotations.Nullable;

// snippet:quarkus-outbox
/**
 * Holdfast, from the application's start to its end, in the transactions of {@code @Transactional}.
 */
@ApplicationScoped
public class Outbox {
  private final AgroalDataSource dataSource;
  private final TransactionSynchronizationRegistry transactions;
  private final String bootstrapServers;
  private @Nullable Holdfast holdfast;

  Outbox(
      AgroalDataSource dataSource,
      TransactionSynchronizationRegistry transactions,
      @ConfigProperty(name = "orders.kafka.bootstrap-servers") String bootstrapServers) {
    this.dataSource = dataSource;
    this.transactions = transactions;
    this.bootstrapServers = bootstrapServers;
  }

  void start(@Observes StartupEvent event) {
    holdfast =
        Holdfast.on(dataSource)
            .channel("orders", Kafka.to(Map.of("bootstrap.servers", bootstrapServers)), "orders.*")
            .start();
  }

  void stop(@Observes ShutdownEvent event) {
    if (holdfast != null) {
      holdfast.close();
    }
  }

  /**
   * Records messages in the current transaction, in one round trip.
   *
   * @throws dev.holdfast.NoTransaction when there is none; nothing was recorded
   */
  public void publish(Message... messages) throws SQLException {
    Holdfast running = Objects.requireNonNull(holdfast, "The application has not started yet.");
    // In a transaction the pool hands out the connection that takes part in it, and outside of one
    // a connection in autocommit mode, which is refused.
    try (Connection connection = dataSource.getConnection()) {
      running.publish(connection, List.of(messages));
    }
    transactions.registerInterposedSynchronization(new WakeAfterCommit(running));
  }

  /** Otherwise the relay would find the messages at its next look, within 50 ms. */
  private record WakeAfterCommit(Holdfast holdfast) implements Synchronization {
    @Override
    public void beforeCompletion() {}

    @Override
    public void afterCompletion(int status) {
      if (status == Status.STATUS_COMMITTED) {
        holdfast.wake();
      }
    }
  }
}
// end
