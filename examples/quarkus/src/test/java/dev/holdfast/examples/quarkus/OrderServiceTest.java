package dev.holdfast.examples.quarkus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import io.agroal.api.AgroalDataSource;
import io.quarkus.narayana.jta.QuarkusTransaction;
import io.quarkus.test.common.QuarkusTestResource;
import io.quarkus.test.junit.QuarkusTest;
import jakarta.inject.Inject;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.eclipse.microprofile.config.inject.ConfigProperty;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

@QuarkusTest
@QuarkusTestResource(Servers.class)
class OrderServiceTest {
  @Inject OrderService orders;
  @Inject Outbox outbox;
  @Inject AgroalDataSource dataSource;

  @Inject
  @ConfigProperty(name = "orders.kafka.bootstrap-servers")
  String bootstrapServers;

  @BeforeEach
  void createTable() throws SQLException {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "create table if not exists shop_order (id text primary key, cents bigint not null)");
      statement.execute("truncate shop_order");
    }
  }

  @Test
  void aCommitLeavesTheOrderAndItsMessageAndARollbackNeither() throws SQLException {
    orders.place(new Order("a-1", 1999));
    // The primary key refuses the order before its message is published.
    assertThatThrownBy(() -> orders.place(new Order("a-1", 1))).isInstanceOf(SQLException.class);
    // Here the message has been written, and falls with the transaction around.
    assertThatThrownBy(
            () ->
                QuarkusTransaction.requiringNew()
                    .run(
                        () -> {
                          place(new Order("rolled back", 1));
                          assertThat(
                                  strings(
                                      "select key from holdfast.message where key = 'rolled back'"))
                              .hasSize(1);
                          throw new IllegalStateException("after both");
                        }))
        .hasMessage("after both");
    // The outer one, suspended meanwhile, has messages of its own.
    assertThatThrownBy(
            () ->
                QuarkusTransaction.requiringNew()
                    .run(
                        () -> {
                          QuarkusTransaction.requiringNew().run(() -> place(new Order("inner", 3)));
                          throw new IllegalStateException("around");
                        }))
        .hasMessage("around");
    orders.place(new Order("a-2", 500));

    assertThat(strings("select id from shop_order order by id"))
        .containsExactly("a-1", "a-2", "inner");
    assertThat(strings("select key from holdfast.message order by position"))
        .containsExactly("a-1", "inner", "a-2");
    assertThat(delivered(3)).extracting(ConsumerRecord::key).containsExactly("a-1", "inner", "a-2");
    assertThat(delivered(3).get(0).value()).isEqualTo("{\"id\":\"a-1\",\"cents\":1999}");
  }

  @Test
  void publishingOutsideATransactionIsRefused() {
    assertThatThrownBy(() -> outbox.publish(Message.of("orders.placed", "nowhere", "{}")))
        .isInstanceOf(NoTransaction.class);
    assertThat(strings("select key from holdfast.message where key = 'nowhere'")).isEmpty();
  }

  private void place(Order order) {
    try {
      orders.place(order);
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private List<String> strings(String sql) {
    try (Connection connection = dataSource.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      List<String> strings = new ArrayList<>();
      while (rows.next()) {
        strings.add(rows.getString(1));
      }
      return strings;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private List<ConsumerRecord<String, String>> delivered(int count) {
    Map<String, Object> config =
        Map.of("bootstrap.servers", bootstrapServers, "isolation.level", "read_committed");
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(config, new StringDeserializer(), new StringDeserializer())) {
      TopicPartition partition = new TopicPartition("orders.placed", 0);
      consumer.assign(List.of(partition));
      consumer.seekToBeginning(List.of(partition));
      long end = System.nanoTime() + Duration.ofSeconds(30).toNanos();
      while (records.size() < count && System.nanoTime() < end) {
        consumer.poll(Duration.ofMillis(100)).forEach(records::add);
      }
    }
    return records;
  }
}
