package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.store.OperationEvent;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What it costs to look for an operation without an index. */
@Tag("long")
final class OperationCostTest {
  private static final int MESSAGES = 1_000_000;
  private static final Duration BOUND = Duration.ofSeconds(2);

  @Test
  void operationAmongAMillionMessagesIsFoundInAScanOfEachTable() throws SQLException {
    String schema = TestDatabase.newSchema();
    PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
    store.schema().migrate();
    store.channels().register("c", List.of("*"));
    store.channels().register("d", List.of("*"));
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          insert into %s.message_0 (id, topic, key, type, content_type, payload, operation_id)
          select gen_random_uuid(), 'orders', 'k' || i %% 1000, 'orders', 'application/json',
                 convert_to(repeat('x', 200), 'UTF8'), 'op-' || i / 2
          from generate_series(1, %d) i
          """
              .formatted(schema, MESSAGES));
      statement.execute("analyze %s.message_0".formatted(schema));
    }
    List<Long> millis = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      long begin = Doorbell.nanos();
      List<OperationEvent> events = store.operations().of("op-" + (1000 + i), 100);
      millis.add(Duration.ofNanos(Doorbell.nanos() - begin).toMillis());
      assertThat(events).hasSize(6);
    }
    System.out.println("operation among " + MESSAGES + " messages, ms: " + millis);
    assertThat(millis).as("milliseconds").allMatch(each -> each < BOUND.toMillis());
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("drop schema %s cascade".formatted(schema));
    }
  }

  @Test
  void operationAmongAMillionReceiptsIsFoundInAScanOfEachSegment() throws SQLException {
    String schema = TestDatabase.newSchema();
    PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
    store.schema().migrate();
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(
          """
          insert into %s.inbox_0 (consumer, message_id, fingerprint, operation_id)
          select 'shipping', gen_random_uuid(), decode(md5(i::text) || md5(i::text), 'hex'), 'op-' || i / 2
          from generate_series(1, %d) i
          """
              .formatted(schema, MESSAGES));
      statement.execute("analyze %s.inbox_0".formatted(schema));
    }
    List<Long> millis = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      long begin = Doorbell.nanos();
      assertThat(store.operations().of("op-" + (1000 + i), 100)).hasSize(2);
      millis.add(Duration.ofNanos(Doorbell.nanos() - begin).toMillis());
    }
    System.out.println("operation among " + MESSAGES + " receipts, ms: " + millis);
    assertThat(millis).as("milliseconds").allMatch(each -> each < BOUND.toMillis());
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("drop schema %s cascade".formatted(schema));
    }
  }
}
