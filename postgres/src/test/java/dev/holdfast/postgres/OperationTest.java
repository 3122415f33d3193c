package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import dev.holdfast.outbox.store.Attempt;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OperationEvent;
import dev.holdfast.outbox.store.OperationEvent.State;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What the view {@code operation_event} tells, state by state. */
final class OperationTest {
  private static final OutboxLog.Limit PAGE = new OutboxLog.Limit(100, 1 << 20);
  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
  private Cursor start;

  @BeforeEach
  void createTables() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders*"));
    start = store.channels().progress("c").cursor();
  }

  private void publish(String operation, Message... messages) throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      store.writer().publish(connection, operation, List.of(messages));
      connection.commit();
    }
  }

  private static void execute(String... statements) throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      for (String sql : statements) {
        statement.execute(sql);
      }
    }
  }

  private Lease lead() {
    return store.leases().tryAcquire("channel/c", "relay-1", Duration.ofHours(1)).orElseThrow();
  }

  private List<OutboxRecord> rows() {
    return store.log().read("c", start, PAGE, true).records();
  }

  private void passAll(Lease lease) {
    Cursor end = store.log().read("c", start, PAGE, true).end();
    assertThat(store.channels().saveProgress(lease, "c", end, "r")).isTrue();
  }

  private List<OperationEvent> events(String operation) {
    return store.operations().of(operation, 100);
  }

  private OperationEvent delivery(String operation) {
    return events(operation).stream()
        .filter(event -> event.boundary().equals("channel c"))
        .reduce((a, b) -> b)
        .orElseThrow();
  }

  @Test
  void commitMessagesAndDeliveriesAreToldInOrder() throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      try (Statement statement = connection.createStatement()) {
        statement.execute("create temporary table t_" + schema + "()");
      }
      store
          .writer()
          .commit(
              connection,
              new Attempt(UUID.randomUUID(), now()),
              "op",
              List.of(
                  Message.of("orders.placed", "k", "{}"), Message.of("orders.sent", "k", "{}")));
    }
    publish("other", Message.of("orders.placed", "k", "{}"));

    assertThat(events("op"))
        .extracting(event -> event.boundary() + ": " + event.what() + ", " + event.state())
        .containsExactly(
            "database: commit, DONE",
            "database: record orders.placed, DONE",
            "channel c: deliver orders.placed, WAITING",
            "database: record orders.sent, DONE",
            "channel c: deliver orders.sent, WAITING");
    assertThat(events("unheard of")).isEmpty();
    assertThat(store.operations().of("op", 2)).hasSize(2);
  }

  private static Instant now() {
    return Instant.now();
  }

  @Test
  void waitingMessageIsOwedByTheLeaderOrNobody() throws SQLException {
    publish("op", Message.of("orders", "k", "{}"));

    assertThat(delivery("op").owedBy()).isEqualTo("nobody: no relay leads the channel");
    lead();
    assertThat(delivery("op").owedBy()).isEqualTo("relay-1");
    store.channels().setState("c", ChannelState.PAUSED, "ann", "broker upgrade");
    assertThat(delivery("op").owedBy()).isEqualTo("an operator: the channel is paused");
    assertThat(delivery("op").detail()).isEqualTo("broker upgrade");
    store.channels().setState("c", ChannelState.STOPPED, "ann", "r");
    assertThat(delivery("op").owedBy()).isEqualTo("an operator: the channel is stopped");
    assertThat(delivery("op").isOwed()).isTrue();
  }

  @Test
  void passedMessageIsDelivered() throws SQLException {
    publish("op", Message.of("orders", "k", "{}"));
    passAll(lead());

    assertThat(delivery("op").state()).isEqualTo(State.DELIVERED);
    assertThat(delivery("op").owedBy()).isNull();
    publish("later", Message.of("orders", "k", "{}"));
    assertThat(delivery("later").state()).isEqualTo(State.WAITING);
  }

  @Test
  void progressInsideAWindowDividesItByPosition() throws SQLException {
    publish("one", Message.of("orders", "k", "1"));
    publish("two", Message.of("orders", "k", "2"));
    Cursor inside = store.log().read("c", start, new OutboxLog.Limit(1, 1 << 20), true).end();
    assertThat(inside.insideWindow()).isTrue();
    store.channels().saveProgress(lead(), "c", inside, "r");

    assertThat(delivery("one").state()).isEqualTo(State.DELIVERED);
    assertThat(delivery("two").state()).isEqualTo(State.WAITING);
  }

  @Test
  void whatWasRecordedBeforeTheChannelTookTheTopicIsNotCalledDelivered() throws SQLException {
    publish("op", Message.of("orders", "k", "{}"));

    store.channels().register("new", List.of("orders"));

    assertThat(events("op"))
        .filteredOn(event -> event.boundary().equals("channel new"))
        .extracting(OperationEvent::state)
        .containsExactly(State.PASSED);
    publish("later", Message.of("orders", "k", "{}"));
    assertThat(events("later"))
        .extracting(OperationEvent::state)
        .containsExactly(State.DONE, State.WAITING, State.WAITING);
  }

  @Test
  void parkedReplayedAndSkippedMessagesAreToldWithReasonAndOrders() throws SQLException {
    publish("bad", Message.of("orders", "k", "1"));
    publish("behind", Message.of("orders", "k", "2"));
    List<OutboxRecord> rows = rows();
    Lease lease = lead();
    store
        .parking()
        .park(
            lease,
            "c",
            Map.of("k:k", "too large"),
            Map.of("k:k", rows.get(0).position()),
            rows.subList(0, 1));

    assertThat(delivery("bad").state()).isEqualTo(State.PARKED);
    assertThat(delivery("bad").owedBy()).startsWith("an operator");
    assertThat(delivery("bad").detail()).isEqualTo("too large");
    assertThat(delivery("bad").at()).isNotNull();
    assertThat(delivery("behind").state()).isEqualTo(State.WAITING);
    assertThat(delivery("behind").detail()).isEqualTo("its key is parked: too large");

    store.parking().skip("c", rows.get(0).position(), "ann", "typo");
    assertThat(delivery("bad").state()).isEqualTo(State.SKIPPED);
    assertThat(events("bad"))
        .filteredOn(event -> event.boundary().equals("operator"))
        .extracting(event -> event.what() + " " + event.detail())
        .containsExactly("skip in channel c by ann: typo");

    store.parking().park(lease, "c", Map.of(), Map.of(), rows.subList(1, 2));
    store.parking().orderUnpark("c", "k:k", "bob");
    assertThat(delivery("behind").state()).isEqualTo(State.REPLAYING);
    assertThat(delivery("behind").owedBy()).isEqualTo("relay-1");
    assertThat(events("behind")).extracting(OperationEvent::what).contains("unpark in channel c");

    passAll(lease);
    Cursor all = store.channels().progress("c").cursor();
    assertThat(store.parking().finishReleasesBefore(lease, "c", all)).isTrue();
    assertThat(delivery("behind").state()).isEqualTo(State.DELIVERED);
    assertThat(delivery("bad").state()).isEqualTo(State.SKIPPED);
  }

  @Test
  void parkedMessageIsToldWhenTheOutboxHasForgottenIt() throws SQLException {
    publish("op", Message.of("orders", "k", "1"));
    Lease lease = lead();
    List<OutboxRecord> rows = rows();
    store
        .parking()
        .park(lease, "c", Map.of("k:k", "r"), Map.of("k:k", rows.get(0).position()), rows);
    passAll(lease);
    execute("truncate %1$s.message_0, %1$s.message_1, %1$s.message_2".formatted(schema));

    assertThat(events("op"))
        .extracting(OperationEvent::state)
        .containsExactly(State.DONE, State.PARKED);
  }

  @Test
  void delayedMessageIsOwedByTheUpkeep() throws SQLException {
    publish("op", Message.to("orders").key("k").deliverAt(now().plus(Duration.ofHours(1))).build());

    assertThat(events("op")).extracting(OperationEvent::state).containsExactly(State.DELAYED);
    assertThat(events("op").get(0).owedBy()).isEqualTo("nobody: no relay runs");
    Lease upkeep =
        store.leases().tryAcquire("upkeep", "relay-2", Duration.ofHours(1)).orElseThrow();
    assertThat(events("op").get(0).owedBy()).isEqualTo("relay-2");
    assertThat(store.upkeep().moveDue(upkeep, 10)).isZero();
  }

  @Test
  void removedChannelLeavesNothingBehind() throws SQLException {
    store.channels().remove("c", true, "ann");
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement();
        var row = statement.executeQuery("select count(*) from " + schema + ".route_since")) {
      row.next();
      assertThat(row.getInt(1)).isZero();
    }
  }

  @Test
  void roleThatMaySeeTheViewSeesNoPayload() throws SQLException {
    publish("op", Message.of("orders", "k", "secret"));
    String role = "viewer_" + schema;
    execute(
        "create role " + role,
        "grant usage on schema %s to %s".formatted(schema, role),
        "grant select on %s.operation_event to %s".formatted(schema, role),
        "revoke execute on function %s.now() from public".formatted(schema),
        "grant execute on function %s.now() to %s".formatted(schema, role));

    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      connection.setAutoCommit(false);
      statement.execute("set local role " + role);
      try (var rows =
          statement.executeQuery(
              "select * from %s.operation_event where operation_id = 'op'".formatted(schema))) {
        assertThat(rows.next()).isTrue();
        assertThat(rows.getMetaData().getColumnCount()).isEqualTo(11);
      }
      assertThatThrownBy(() -> statement.executeQuery("select payload from " + schema + ".message"))
          .isInstanceOfSatisfying(
              SQLException.class, e -> assertThat(e.getSQLState()).isEqualTo("42501"));
      connection.rollback();
    }
  }

  private OperationEvent handled(String operation, String consumer) {
    return events(operation).stream()
        .filter(event -> event.boundary().equals("consumer " + consumer))
        .reduce(
            (a, b) -> {
              throw new AssertionError(a + " and " + b);
            })
        .orElseThrow();
  }

  @Test
  void whoeverHasReceivedAMessageOfTheOperationIsToldAndWhetherAReplyIsKept() throws Exception {
    String id = UUID.randomUUID().toString();
    try (Holdfast holdfast =
        Holdfast.on(TestDatabase.dataSource()).schema(schema).schemaManagedElsewhere().start()) {
      holdfast
          .inbox("shipping", InboxSettings.DEFAULT)
          .once(
              Incoming.of(id).ofOperation("op"),
              tx -> {
                tx.publish(Message.of("orders", "k", "{}"));
                return Reply.json("{}");
              });
      holdfast
          .inbox("billing", InboxSettings.DEFAULT)
          .once(Incoming.of("a message").ofOperation("op"), tx -> Reply.NONE);
      holdfast
          .inbox("billing", InboxSettings.DEFAULT)
          .once(Incoming.of("another").ofOperation("other"), tx -> Reply.NONE);
    }

    OperationEvent shipped = handled("op", "shipping");
    assertThat(shipped.state()).isEqualTo(State.DONE);
    assertThat(shipped.isOwed()).isFalse();
    assertThat(shipped.at()).isNotNull();
    assertThat(shipped.what()).isEqualTo("handle " + id);
    assertThat(shipped.messageId()).isEqualTo(UUID.fromString(id));
    assertThat(shipped.detail()).isEqualTo("a reply is kept: application/json, 2 bytes");
    OperationEvent billed = handled("op", "billing");
    assertThat(billed.what()).isEqualTo("handle a message");
    assertThat(billed.messageId()).isNull();
    assertThat(billed.detail()).isEqualTo("no reply is kept");
    assertThat(events("op")).extracting(OperationEvent::what).contains("record orders");
    assertThat(events("op").get(events("op").size() - 1).boundary())
        .as("who receives comes last")
        .startsWith("consumer ");
  }

  @Test
  void anIdThatIsInTwoSegmentsOfTheInboxIsOneReceipt() throws SQLException {
    execute(
        "insert into %1$s.inbox_0 (consumer, message_id, operation_id) values ('c', 'm', 'op')"
            .formatted(schema),
        "insert into %1$s.inbox_1 (consumer, message_id, operation_id) values ('c', 'm', 'op')"
            .formatted(schema));

    assertThat(handled("op", "c").what()).isEqualTo("handle m");
  }

  @Test
  void whatAConsumerHoldsBackIsOwedByAnOperatorUntilItIsReleased() throws SQLException {
    UUID topic = UUID.randomUUID();
    store.offsets().register("shipping");
    execute(
        """
        insert into %1$s.log_lane (consumer, topic, topic_id, partition_no, lane, reason)
        values ('shipping', 'orders', '%2$s', 3, 'k:4711', 'no such customer')
        """
            .formatted(schema, topic),
        """
        insert into %1$s.log_parked (consumer, topic_id, partition_no, record_offset, lane,
                                     created_ms, header_names, header_values)
        select 'shipping', '%2$s', 3, n, 'k:4711', 0,
               array['ce_id', 'ce_operationid', 'ce_operationid'],
               array['\\x00ff'::bytea, 'before', case n when 7 then convert_to('op', 'UTF8')
                                                when 8 then '\\x00ff80'::bytea
                                                else convert_to('caf\u00e9', 'UTF8') end]
        from generate_series(7, 9) n
        """
            .formatted(schema, topic));

    OperationEvent held = handled("op", "shipping");
    assertThat(held.state()).isEqualTo(State.PARKED);
    assertThat(held.what()).isEqualTo("handle orders-3 at offset 7");
    assertThat(held.detail()).isEqualTo("lane k:4711: no such customer");
    assertThat(held.owedBy()).isEqualTo("an operator: the key is parked");
    assertThat(events("before")).as("the last header counts").isEmpty();
    assertThat(events("caf\u00e9")).as("only ASCII is found").isEmpty();

    execute("update %s.log_lane set releasing = true".formatted(schema));
    assertThat(handled("op", "shipping").state()).isEqualTo(State.REPLAYING);
    assertThat(handled("op", "shipping").owedBy()).isEqualTo("consumer shipping");
    store.offsets().pause("shipping", "a migration");
    assertThat(handled("op", "shipping").owedBy()).isEqualTo("an operator: the consumer is paused");
  }
}
