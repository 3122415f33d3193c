package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.PostgresStore;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** The relay as users get it: a batch and its progress in one Kafka transaction. */
final class HoldfastContender implements Contender {
  private static final String SCHEMA = "holdfast";

  @Override
  public String name() {
    return "holdfast";
  }

  @Override
  public String guarantee() {
    return "read_committed: nothing lost or repeated, order per key";
  }

  @Override
  public void fill(HikariDataSource dataSource, String topic, int messages, int bytes) {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("drop schema if exists " + SCHEMA + " cascade");
      Store store = PostgresStore.open(dataSource, SCHEMA);
      store.schema().migrate();
      store.channels().register("bench", List.of(topic));
      int per = 10_000;
      for (int done = 0; done < messages; done += per) {
        // One commit per 10,000, through the function that every publisher uses.
        statement.execute(
            """
            select holdfast.publish_all(array_agg(gen_random_uuid()), array_agg('%s'::text),
              array_agg('key-' || i %% 1000), array_agg('bench'::text),
              array_agg('application/octet-stream'::text),
              array_agg(%s), array_agg(null::text), null, null, 'bench')
            from generate_series(1, %d) i
            """
                .formatted(topic, Payload.sql(bytes), Math.min(per, messages - done)));
      }
      statement.execute("vacuum analyze " + SCHEMA + ".message_0");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void drain(
      HikariDataSource dataSource, String bootstrapServers, String topic, int messages, int bytes) {
    try (Holdfast holdfast =
        Holdfast.on(dataSource)
            .schema(SCHEMA)
            .channel("bench", Kafka.to(Map.of("bootstrap.servers", bootstrapServers)), topic)
            .start()) {
      Doorbell wait = new Doorbell();
      while (delivered(holdfast) < messages) {
        wait.await(Duration.ofMillis(2));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }

  private static long delivered(Holdfast holdfast) {
    return holdfast.status().stream().mapToLong(RelayStatus::delivered).sum();
  }
}
