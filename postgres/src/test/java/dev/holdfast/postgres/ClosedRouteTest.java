package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Message;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.Page;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Closing a route refuses publishers, and loses nothing of what was accepted under it. */
final class ClosedRouteTest {
  private static final Duration LONG = Duration.ofHours(3);

  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
  private final List<String> read = new ArrayList<>();
  private Lease upkeep;
  private Lease leader;

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders", "bills"));
    upkeep = store.leases().tryAcquire("upkeep", "me", LONG).orElseThrow();
    leader = store.leases().tryAcquire("channel/c", "me", LONG).orElseThrow();
  }

  private static Connection transaction() throws SQLException {
    Connection connection = TestDatabase.dataSource().getConnection();
    connection.setAutoCommit(false);
    return connection;
  }

  private void publish(Connection connection, Message message) throws SQLException {
    store.writer().publish(connection, "op", List.of(message));
  }

  private void publish(Message message) throws SQLException {
    try (Connection connection = transaction()) {
      publish(connection, message);
      connection.commit();
    }
  }

  /** What a leader does: reads all there is, and copies its progress back. */
  private void deliver() {
    Cursor at = store.channels().progress("c").cursor();
    Page page = store.log().read("c", at, new OutboxLog.Limit(100, 1 << 20), true);
    page.records().stream().map(OutboxRecord::key).map(String::valueOf).forEach(read::add);
    assertThat(store.channels().saveProgress(leader, "c", page.end(), "r")).isTrue();
  }

  private void deliverAndKeepHouseOften() throws SQLException {
    for (int i = 0; i < 3; i++) {
      publish(Message.of("orders", "other", "{}"));
      deliver();
      store.upkeep().rotate(upkeep);
    }
  }

  private boolean routeIsThere() throws SQLException {
    try (Connection connection = transaction();
        Statement statement = connection.createStatement();
        var rows =
            statement.executeQuery("select 1 from " + schema + ".route where pattern = 'bills'")) {
      return rows.next();
    }
  }

  private void moveTimeBy(Duration duration) throws SQLException {
    try (Connection connection = transaction();
        Statement statement = connection.createStatement()) {
      statement.execute(
          "create or replace function %s.now() returns timestamptz language sql stable as $$ select clock_timestamp() + interval '%d s' $$"
              .formatted(schema, duration.toSeconds()));
      connection.commit();
    }
  }

  @Test
  void aRouteThatNothingWaitsForGoes() throws SQLException {
    assertThat(store.channels().closeRoute("c", "bills")).isTrue();
    assertThatThrownBy(() -> publish(Message.of("bills", "late", "{}")))
        .isInstanceOf(SQLException.class);
    deliverAndKeepHouseOften();
    assertThat(routeIsThere()).isFalse();
  }

  @Test
  void aPublisherInFlightIsDelivered() throws SQLException {
    try (Connection connection = transaction()) {
      publish(connection, Message.of("bills", "in flight", "{}"));
      store.channels().closeRoute("c", "bills");
      deliverAndKeepHouseOften();
      connection.commit();
      deliverAndKeepHouseOften();
    }
    assertThat(read).contains("in flight");
  }

  /** The publisher's transaction id is higher than that of the closing, whose end it never saw. */
  @Test
  void aPublisherThatSawTheRouteOpenWhileItWasBeingClosedIsDelivered() throws SQLException {
    try (Connection closing = transaction();
        Connection publisher = transaction();
        Statement close = closing.createStatement()) {
      close.execute(
          "update " + schema + ".route set closing = pg_current_xact_id() where pattern = 'bills'");
      SqlHook hook =
          new SqlHook(
              "${schema}.route".replace("${schema}", schema),
              () -> {
                publish(publisher, Message.of("bills", "in flight", "{}"));
                closing.commit();
              });
      PostgresStore.open(hook.around(TestDatabase.dataSource()), schema).upkeep().rotate(upkeep);
      assertThat(hook.ran()).isTrue();
      deliverAndKeepHouseOften();
      publisher.commit();
      deliverAndKeepHouseOften();
    }
    assertThat(read).contains("in flight");
  }

  @Test
  void aDelayedMessageIsDeliveredThoughItsRouteWasClosedLongBefore() throws SQLException {
    publish(
        Message.to("bills")
            .key("delayed")
            .json("{}")
            .deliverAt(Instant.now().plus(Duration.ofHours(1)))
            .build());
    store.channels().closeRoute("c", "bills");
    deliverAndKeepHouseOften();
    moveTimeBy(Duration.ofHours(2));
    assertThat(store.upkeep().moveDue(upkeep, 10)).isEqualTo(1);
    // Before the leader comes to it.
    store.upkeep().rotate(upkeep);
    store.upkeep().rotate(upkeep);
    deliverAndKeepHouseOften();
    assertThat(read).contains("delayed");
    deliverAndKeepHouseOften();
    assertThat(routeIsThere()).as("the route, when nothing waits for it any more").isFalse();
  }
}
