package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Isolation;
import dev.holdfast.Message;
import dev.holdfast.Transaction;
import dev.holdfast.TransactionOptions;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Condition;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventLog;
import dev.holdfast.eventlog.EventQuery;
import dev.holdfast.eventlog.EventReader;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import java.io.IOException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import javax.sql.DataSource;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What Holdfast costs the caller, counted: round trips on the wire, and forced writes by the
 * server's own statistics of the caller's backend.
 */
final class CallerCostTest {
  private static final int TIMES = 10;
  private static final String UPDATE = "update account set balance = balance + 1 where id = 1";

  private static PostgresServer server;
  private static RoundTrips wire;
  private static HikariDataSource pool;
  private static HikariDataSource observers;
  private static Holdfast holdfast;

  private record Cost(int roundTrips, long forcedWrites) {}

  @FunctionalInterface
  private interface Work {
    void run() throws SQLException;
  }

  @BeforeAll
  static void start() throws SQLException {
    // Nobody else forces the log out: neither a background writer nor a vacuum.
    server =
        PostgresServer.builder()
            .setting("wal_writer_delay", "10s")
            .setting("autovacuum", "off")
            .start();
    wire = new RoundTrips(server.port());
    pool = TestDatabase.pool(wire.jdbcUrl(), 1);
    observers = TestDatabase.pool(server.jdbcUrl(), 3);
    try (Connection connection = observers.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("create table account (id int primary key, balance bigint not null)");
      statement.execute("insert into account values (1, 0)");
    }
    PostgresStore store = PostgresStore.open(observers, "holdfast");
    store.schema().migrate();
    store.channels().register("orders", List.of("orders"));
    holdfast = Holdfast.on(callersOnTheWire()).schemaManagedElsewhere().start();
  }

  /** Holdfast's own threads, which wake relays after a commit, take another way. */
  private static DataSource callersOnTheWire() {
    return (DataSource)
        Proxy.newProxyInstance(
            CallerCostTest.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (proxy, method, args) ->
                method.invoke(
                    Thread.currentThread().getName().startsWith("holdfast-") ? observers : pool,
                    args));
  }

  @AfterAll
  static void end() throws IOException {
    holdfast.close();
    pool.close();
    observers.close();
    wire.close();
    server.close();
  }

  /** The driver prepares a statement on the server after some uses: let it settle. */
  @BeforeEach
  void warmUp() throws SQLException {
    for (int i = 0; i < 8; i++) {
      transact(0);
      transact(3);
      byHand();
    }
  }

  private static List<Message> messages(int count) {
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      messages.add(Message.of("orders", "k" + i % 20, "{\"n\":" + i + "}"));
    }
    return messages;
  }

  private static void transact(int count) {
    holdfast.transact(
        tx -> {
          tx.update(UPDATE);
          messages(count).forEach(tx::publish);
        });
  }

  /** The same transaction as anybody would write it, without Holdfast. */
  private static void byHand() throws SQLException {
    try (Connection connection = pool.getConnection()) {
      connection.setAutoCommit(false);
      try (PreparedStatement statement = connection.prepareStatement(UPDATE)) {
        statement.executeUpdate();
      }
      connection.commit();
      connection.setAutoCommit(true);
    }
  }

  private static Cost costOf(Work work) throws SQLException {
    int backend = one(pool, "select pg_backend_pid()").intValue();
    try (Connection connection = observers.getConnection();
        Statement statement = connection.createStatement()) {
      // No new segment of the log, with a forced write of its own, in the middle.
      statement.execute("select pg_switch_wal()");
    }
    work.run();
    long forcedBefore = forcedWrites(backend);
    int tripsBefore = wire.count();
    for (int i = 0; i < TIMES; i++) {
      work.run();
    }
    int trips = wire.count() - tripsBefore;
    return new Cost(trips, forcedWrites(backend) - forcedBefore);
  }

  private static long forcedWrites(int backend) throws SQLException {
    one(pool, "select 1 from (select pg_stat_force_next_flush()) f");
    return one(
        observers,
        "select coalesce(sum(fsyncs), 0) from pg_stat_get_backend_io("
            + backend
            + ") where object = 'wal'");
  }

  private static Long one(HikariDataSource source, String sql) throws SQLException {
    try (Connection connection = source.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows = statement.executeQuery(sql)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 20, 200})
  void transactCostsNoRoundTripAndNoForcedWriteBeyondATransactionByHand(int count)
      throws SQLException {
    Cost byHand = costOf(CallerCostTest::byHand);
    assertThat(byHand).isEqualTo(new Cost(2 * TIMES, TIMES));
    assertThat(costOf(() -> transact(count))).isEqualTo(byHand);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 20, 200})
  void publishInSomeoneElsesTransactionIsOneRoundTripAndNoForcedWrite(int count)
      throws SQLException {
    Cost cost =
        costOf(
            () -> {
              try (Connection connection = pool.getConnection()) {
                connection.setAutoCommit(false);
                try (PreparedStatement statement = connection.prepareStatement(UPDATE)) {
                  statement.executeUpdate();
                }
                holdfast.publish(connection, messages(count));
                connection.commit();
                connection.setAutoCommit(true);
              }
            });
    assertThat(cost).isEqualTo(new Cost(3 * TIMES, TIMES));
  }

  @Test
  void anInboxIsOneRoundTripAndAnotherForTheReplyAndNothingForcedOut() throws SQLException {
    Inbox inbox = holdfast.inbox("shipping", InboxSettings.DEFAULT);
    AtomicInteger ids = new AtomicInteger();
    Work silent = () -> inbox.once(Incoming.of("s" + ids.incrementAndGet()), tx -> update(tx));
    Work answering =
        () ->
            inbox.once(
                Incoming.of("a" + ids.incrementAndGet()),
                tx -> {
                  update(tx);
                  return Reply.text("done");
                });
    Work repeated = () -> inbox.once(Incoming.of("a" + ids.get()), CallerCostTest::update);
    // The driver prepares a statement on the server after some uses.
    for (int i = 0; i < 8; i++) {
      silent.run();
      answering.run();
    }

    assertThat(costOf(silent)).isEqualTo(new Cost(3 * TIMES, TIMES));
    assertThat(costOf(answering)).isEqualTo(new Cost(4 * TIMES, TIMES));
    assertThat(costOf(repeated)).isEqualTo(new Cost(2 * TIMES, 0));
  }

  private static Reply update(Transaction tx) throws SQLException {
    tx.update(UPDATE);
    return Reply.NONE;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 20})
  void anAppendIsOneStatementAndOneCommitAndInATransactionOneRoundTripMore(int count)
      throws SQLException {
    AtomicInteger streams = new AtomicInteger();
    EventLog log = holdfast.eventLog();
    Work alone = () -> log.append(append(count + "-" + streams.incrementAndGet(), count));
    Work within =
        () ->
            holdfast.transact(
                tx -> {
                  tx.update(UPDATE);
                  log.append(tx, append(count + "-" + streams.incrementAndGet(), count));
                });
    Work decided =
        () ->
            log.append(
                append(count + "-" + streams.incrementAndGet(), count)
                    .onlyIf(Condition.never(EventQuery.tags("seat:" + count + "-" + streams))));
    // The driver prepares a statement on the server after some uses.
    for (int i = 0; i < 8; i++) {
      alone.run();
      within.run();
      decided.run();
    }
    assertThat(costOf(alone)).isEqualTo(new Cost(TIMES, TIMES));
    assertThat(costOf(decided)).isEqualTo(new Cost(TIMES, TIMES));
    assertThat(costOf(within)).isEqualTo(new Cost(3 * TIMES, TIMES));
  }

  private static Append append(String stream, int count) {
    EventData[] events = new EventData[count];
    for (int i = 0; i < count; i++) {
      events[i] = EventData.json("noted", "{}").withTags("tag:" + i);
    }
    return Append.to(stream, ExpectedVersion.none(), events);
  }

  @Test
  void aReaderThatFindsNothingNewForcesNothingOut() throws SQLException {
    EventLog log = holdfast.eventLog();
    log.append(append("read", 3));
    EventReader reader = log.reader(0);
    while (!reader.next(100).events().isEmpty()) {
      assertThat(reader.checkpoint()).isPositive();
    }
    for (int i = 0; i < 8; i++) {
      reader.next(100);
    }
    // The beginning with its settings, the look, and the commit.
    assertThat(costOf(() -> reader.next(100))).isEqualTo(new Cost(3 * TIMES, 0));
    for (int i = 0; i < 8; i++) {
      log.reader(0).next(100);
    }
    assertThat(costOf(() -> log.reader(0).next(100))).isEqualTo(new Cost(4 * TIMES, 0));
  }

  @Test
  void aTransactionThatChangesNothingForcesNothingOut() throws SQLException {
    Cost cost = costOf(() -> holdfast.transact(tx -> {}));
    assertThat(cost).isEqualTo(new Cost(TIMES, 0));
  }

  @Test
  @Attacks("transact.isolation")
  void anotherIsolationLevelIsHonouredAndGivenBack() throws SQLException {
    String level =
        holdfast.transactReturning(
            TransactionOptions.DEFAULT.withIsolation(Isolation.SERIALIZABLE),
            tx -> {
              try (Statement statement = tx.connection().createStatement();
                  ResultSet rows = statement.executeQuery("show transaction_isolation")) {
                rows.next();
                return rows.getString(1);
              }
            });
    assertThat(level).isEqualTo("serializable");
    try (Connection connection = pool.getConnection()) {
      assertThat(connection.getTransactionIsolation())
          .isEqualTo(Connection.TRANSACTION_READ_COMMITTED);
    }
  }
}
