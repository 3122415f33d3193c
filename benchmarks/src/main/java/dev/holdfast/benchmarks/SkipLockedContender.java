package dev.holdfast.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** What teams write by hand: delete 500 with SKIP LOCKED, send, wait, commit. */
final class SkipLockedContender implements Contender {
  private static final String TAKE =
      """
      delete from hand_outbox where id in (
        select id from hand_outbox order by id limit 500 for update skip locked)
      returning id, key, payload
      """;

  @Override
  public String name() {
    return "skip-locked";
  }

  @Override
  public String guarantee() {
    return "at least once; order per key only with one poller";
  }

  @Override
  public void fill(HikariDataSource dataSource, String topic, int messages, int bytes) {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("drop table if exists hand_outbox");
      statement.execute(
          "create table hand_outbox (id bigserial primary key, key text, payload bytea)");
      statement.execute(
          "insert into hand_outbox (key, payload) select 'key-' || i % 1000,"
              + " "
              + Payload.sql(bytes)
              + " from generate_series(1, "
              + messages
              + ") i");
      statement.execute("vacuum analyze hand_outbox");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void drain(
      HikariDataSource dataSource, String bootstrapServers, String topic, int messages, int bytes) {
    Map<String, Object> config =
        Map.of("bootstrap.servers", bootstrapServers, "acks", "all", "batch.size", 256 * 1024);
    try (Connection connection = dataSource.getConnection();
        KafkaProducer<byte[], byte[]> producer =
            new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
        PreparedStatement take = connection.prepareStatement(TAKE)) {
      connection.setAutoCommit(false);
      for (int done = 0; done < messages; ) {
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (ResultSet rows = take.executeQuery()) {
          while (rows.next()) {
            sent.add(
                producer.send(
                    new ProducerRecord<>(
                        topic, rows.getString(2).getBytes(UTF_8), rows.getBytes(3))));
          }
        }
        producer.flush();
        for (Future<RecordMetadata> future : sent) {
          future.get();
        }
        connection.commit();
        done += sent.size();
      }
      connection.setAutoCommit(true);
    } catch (SQLException | ExecutionException e) {
      throw new IllegalStateException(e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException(e);
    }
  }
}
