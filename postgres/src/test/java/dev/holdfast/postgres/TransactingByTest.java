package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Isolation;
import dev.holdfast.Message;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.TransactionRunner;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.devservices.TcpRelay;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Reply;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Transactions that somebody else begins and ends: what Holdfast promises of them all the same. */
final class TransactingByTest {
  private final TcpRelay network = TcpRelay.to("127.0.0.1", TestDatabase.server().port());
  private final HikariDataSource pool =
      TestDatabase.pool(
          "jdbc:postgresql://127.0.0.1:"
              + network.port()
              + "/postgres?user=postgres&sslmode=disable&gssEncMode=disable",
          3);
  private final String schema = TestDatabase.newSchema();
  private final Framework framework = new Framework();
  private Holdfast whole;
  private Holdfast holdfast;

  /** What a step of the framework does. */
  @FunctionalInterface
  private interface Step {
    void run(Connection connection) throws SQLException;
  }

  /** As frameworks do: it has work of its own in front of the commit. */
  private final class Framework implements TransactionRunner {
    private Step begin = connection -> {};
    private Step beforeCommit = connection -> {};
    private int begun;

    @Override
    public <T extends @Nullable Object> T run(Isolation isolation, Work<T> work)
        throws SQLException {
      try (Connection connection = pool.getConnection()) {
        begun++;
        begin.run(connection);
        connection.setAutoCommit(false);
        connection.setTransactionIsolation(isolation.jdbcLevel());
        T result;
        try {
          result = work.run(connection);
          beforeCommit.run(connection);
        } catch (SQLException | RuntimeException | Error e) {
          connection.rollback();
          throw e;
        }
        connection.commit();
        return result;
      }
    }
  }

  @BeforeEach
  void begin() {
    PostgresStore store = PostgresStore.open(TestDatabase.dataSource(), schema);
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
    whole = Holdfast.on(pool).schema(schema).schemaManagedElsewhere().start();
    holdfast = whole.transactingBy(framework);
  }

  @AfterEach
  void end() {
    whole.close();
    pool.close();
    network.close();
  }

  private long count(String table) throws SQLException {
    try (Connection connection = TestDatabase.dataSource().getConnection();
        Statement statement = connection.createStatement();
        var rows = statement.executeQuery("select count(*) from " + schema + "." + table)) {
      rows.next();
      return rows.getLong(1);
    }
  }

  private Step execute(String sql) {
    return connection -> {
      try (Statement statement = connection.createStatement()) {
        statement.execute(sql);
      }
    };
  }

  private static Outcome ask(OutcomeUnknown unknown) {
    return Awaitility.await()
        .ignoreExceptionsInstanceOf(StoreUnavailable.class)
        .until(unknown::resolve, outcome -> true);
  }

  @Test
  void aLostReplyIsResolvedThoughOnlyTheFrameworkChangedAnythingAndOnlyInFrontOfTheCommit() {
    framework.beforeCommit =
        connection -> {
          execute("create table " + schema + ".late (n int)").run(connection);
          network.swallowNextReply();
        };
    OutcomeUnknown unknown =
        catchThrowableOfType(OutcomeUnknown.class, () -> holdfast.transact(tx -> {}));

    assertThat(ask(unknown)).isInstanceOf(Outcome.Committed.class);
  }

  @Test
  void aCommitThatNeverArrivedIsRejectedForGood() throws SQLException {
    framework.beforeCommit = connection -> network.cut();
    OutcomeUnknown unknown =
        catchThrowableOfType(
            OutcomeUnknown.class,
            () -> holdfast.transact(tx -> tx.publish(Message.of("orders", "k", "{}"))));
    network.restore();

    assertThat(ask(unknown)).isInstanceOf(Outcome.Rejected.class);
    assertThat(count("message")).isZero();
  }

  @Test
  void whatTheDatabaseWantsRunAgainIsRunAgainThoughTheFrameworkMetItInFrontOfTheCommit()
      throws SQLException {
    AtomicInteger runs = new AtomicInteger();
    framework.beforeCommit =
        connection -> {
          if (runs.get() < 3) {
            execute("do $$ begin raise exception 'again' using errcode = '40001'; end $$")
                .run(connection);
          }
        };
    holdfast.transact(
        tx -> {
          runs.incrementAndGet();
          tx.publish(Message.of("orders", "k", "{}"));
        });

    assertThat(runs).hasValue(3);
    assertThat(count("message")).isEqualTo(1);
  }

  @Test
  void whatCouldNotBeBegunIsSaidToBeSo() {
    framework.begin =
        connection -> {
          throw new SQLException("the server is gone", "08006");
        };

    assertThatThrownBy(() -> holdfast.transact(tx -> {}))
        .isInstanceOf(StoreUnavailable.class)
        .hasMessageContaining("Nothing was begun");
  }

  @Test
  void anInboxOfItHandlesMessagesInTheFrameworksTransactionsAndClosingItEndsNothing()
      throws SQLException {
    holdfast
        .inbox("billing", InboxSettings.DEFAULT)
        .once(
            Incoming.of("m1"),
            tx -> {
              tx.publish(Message.of("orders", "k", "{}"));
              return Reply.NONE;
            });
    holdfast.close();
    whole.transact(tx -> tx.publish(Message.of("orders", "k", "{}")));

    assertThat(framework.begun).isEqualTo(1);
    assertThat(count("message")).isEqualTo(2);
  }
}
