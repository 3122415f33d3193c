package dev.holdfast.mariadb;

import static dev.holdfast.mariadb.TestServers.execute;
import static dev.holdfast.mariadb.TestServers.list;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Objects;
import org.awaitility.Awaitility;
import org.awaitility.core.ThrowingRunnable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** How MariaDB behaves, as far as this module rests on it. */
final class XaFactsTest {
  private final String xid = "'" + TestServers.unique("fact") + "'";
  private HikariDataSource database;
  private Connection ours;
  private Connection other;

  @BeforeEach
  void open() throws SQLException {
    database = TestServers.mariaDb();
    execute(database, "create table entry (id int primary key, value int)");
    execute(database, "insert into entry values (1, 0), (2, 0)");
    ours = connect();
    other = connect();
  }

  @AfterEach
  void close() throws SQLException {
    ours.close();
    other.close();
    database.close();
  }

  private Connection connect() throws SQLException {
    Connection connection = DriverManager.getConnection(database.getJdbcUrl());
    execute(connection, "set innodb_lock_wait_timeout = 1");
    return connection;
  }

  private void prepare(Connection connection, String work) throws SQLException {
    execute(connection, "xa start " + xid);
    execute(connection, work);
    execute(connection, "xa end " + xid);
    execute(connection, "xa prepare " + xid);
  }

  private static String failure(Connection connection, String sql) {
    SQLException e = catchThrowableOfType(SQLException.class, () -> execute(connection, sql));
    return Objects.requireNonNull(e, sql).getSQLState() + " " + e.getErrorCode();
  }

  private static String failureOfQuery(Connection connection, String sql) {
    SQLException e = catchThrowableOfType(SQLException.class, () -> list(connection, sql));
    return Objects.requireNonNull(e, sql).getSQLState() + " " + e.getErrorCode();
  }

  /** The server takes a moment to notice that a connection is gone. */
  private static void eventually(ThrowingRunnable done) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .ignoreExceptionsInstanceOf(SQLException.class)
        .untilAsserted(done);
  }

  private boolean isListed() throws SQLException {
    return list(other, "xa recover format = 'SQL'").stream().anyMatch(row -> row.endsWith(xid));
  }

  @Test
  void othersCannotEndABranchWhoseConnectionIsOpenAndSeeItNevertheless() throws SQLException {
    prepare(ours, "insert into entry values (3, 0)");

    assertThat(isListed()).isTrue();
    assertThat(failure(other, "xa commit " + xid)).isEqualTo("XAE04 1397");
    assertThat(failure(other, "xa rollback " + xid)).isEqualTo("XAE04 1397");
    assertThat(failure(other, "xa commit 'there is none'")).isEqualTo("XAE04 1397");

    ours.close();
    eventually(() -> execute(other, "xa commit " + xid));
    assertThat(list(other, "select id from entry where id = 3")).hasSize(1);
  }

  @Test
  void aPreparedBranchSurvivesAKillOfTheServerWithItsLocks() throws SQLException {
    prepare(ours, "update entry set value = 1 where id = 1");

    TestServers.MariaDb.SERVER.kill();
    TestServers.MariaDb.SERVER.restart();

    other = connect();
    assertThat(isListed()).isTrue();
    assertThat(failure(other, "update entry set value = 2 where id = 1")).isEqualTo("HY000 1205");
    execute(other, "xa commit " + xid);
    assertThat(list(other, "select value from entry where id = 1")).containsExactly("1");
  }

  @Test
  void aPreparedBranchSurvivesAnOrderlyRestart() throws SQLException {
    prepare(ours, "insert into entry values (3, 0)");
    TestServers.MariaDb.SERVER.restart();
    other = connect();
    execute(other, "xa rollback " + xid);
    assertThat(list(other, "select id from entry where id = 3")).isEmpty();
  }

  @Test
  void preparingReleasesTheLocksOfReadsButNotWhenSerializable() throws SQLException {
    execute(ours, "set session transaction isolation level repeatable read");
    prepare(ours, "insert into entry select 3, value from entry where id = 1 lock in share mode");
    execute(other, "update entry set value = 1 where id = 1");
    execute(ours, "xa rollback " + xid);

    execute(ours, "set session transaction isolation level serializable");
    prepare(ours, "insert into entry select 3, value from entry where id = 1 lock in share mode");
    assertThat(failure(other, "update entry set value = 2 where id = 1")).isEqualTo("HY000 1205");
    execute(ours, "xa rollback " + xid);
  }

  @Test
  void aReadIsLockedUntilThen() throws SQLException {
    execute(ours, "xa start " + xid);
    execute(ours, "insert into entry select 3, value from entry where id = 1 lock in share mode");
    assertThat(failure(other, "update entry set value = 1 where id = 1")).isEqualTo("HY000 1205");
    execute(ours, "xa end " + xid);
    execute(ours, "xa rollback " + xid);
  }

  @Test
  void aBlockTakesXaStatementsAndEndsWithItsFirstError() throws SQLException {
    execute(
        ours,
        "begin not atomic set transaction isolation level read committed; xa start "
            + xid
            + "; end");
    assertThat(
            failure(
                ours,
                "begin not atomic insert into entry values (1, 0); xa end %s; xa prepare %s; end"
                    .formatted(xid, xid)))
        .isEqualTo("23000 1062");
    assertThat(isListed()).isFalse();
    execute(
        ours,
        "begin not atomic insert into entry values (3, 0); xa end %s; xa prepare %s; end"
            .formatted(xid, xid));
    assertThat(isListed()).isTrue();
    execute(ours, "xa commit " + xid);
  }

  @Test
  void theIsolationLevelOfABlockIsThatOfTheBranch() throws SQLException {
    for (String level : new String[] {"read committed", "repeatable read"}) {
      execute(
          ours,
          "begin not atomic set transaction isolation level %s; xa start %s; end"
              .formatted(level, xid));
      String before = list(ours, "select value from entry where id = 1").get(0);
      execute(other, "update entry set value = value + 1 where id = 1");
      String after = list(ours, "select value from entry where id = 1").get(0);
      assertThat(after.equals(before)).as(level).isEqualTo(level.equals("repeatable read"));
      execute(ours, "xa end " + xid);
      execute(ours, "xa rollback " + xid);
    }
  }

  @Test
  void aPreparedBranchThatIsLeftAloneIsLeftToOthers() throws SQLException {
    execute(ours, "set session idle_transaction_timeout = 1");
    prepare(ours, "insert into entry values (3, 0)");
    assertThat(failure(other, "xa commit " + xid)).isEqualTo("XAE04 1397");

    eventually(() -> execute(other, "xa commit " + xid));
    assertThat(failureOfQuery(ours, "select 1")).startsWith("08");
  }

  @Test
  void aDeadlockUndoesTheBranchAndTheConnectionIsOfUseAfterItsRollback() throws Exception {
    execute(other, "start transaction");
    // The one that has changed less is chosen.
    execute(other, "update entry set value = 1 where id = 2");
    execute(other, "insert into entry values (11, 0), (12, 0), (13, 0)");
    execute(ours, "xa start " + xid);
    execute(ours, "update entry set value = 1 where id = 1");
    Thread waiting =
        new Thread(
            () -> {
              try {
                execute(other, "set innodb_lock_wait_timeout = 20");
                execute(other, "update entry set value = 2 where id = 1");
              } catch (SQLException e) {
                throw new IllegalStateException(e);
              }
            });
    waiting.start();
    try (Connection watch = connect()) {
      Awaitility.await()
          .untilAsserted(
              () ->
                  assertThat(
                          list(
                              watch,
                              "select trx_id from information_schema.innodb_trx where trx_state = 'LOCK WAIT'"))
                      .hasSize(1));
    }

    assertThat(failure(ours, "update entry set value = 2 where id = 2")).isEqualTo("40001 1213");
    waiting.join();
    execute(other, "rollback");
    // Not by itself in effect: what comes now is undone as well.
    execute(ours, "insert into entry values (3, 0)");
    assertThat(failure(ours, "xa end " + xid)).isEqualTo("XA102 1614");
    execute(ours, "xa rollback " + xid);
    assertThat(list(ours, "select id from entry")).containsExactly("1", "2");
    prepare(ours, "insert into entry values (3, 0)");
    execute(ours, "xa commit " + xid);
  }

  @Test
  void aLockThatIsNotHadInTimeUndoesItsStatementAlone() throws SQLException {
    execute(other, "start transaction");
    execute(other, "update entry set value = 1 where id = 2");
    execute(ours, "xa start " + xid);
    execute(ours, "insert into entry values (3, 0)");
    assertThat(failure(ours, "update entry set value = 2 where id = 2")).isEqualTo("HY000 1205");
    assertThat(list(ours, "select id from entry where id = 3")).hasSize(1);
    execute(other, "rollback");
    execute(ours, "xa end " + xid);
    execute(ours, "xa rollback " + xid);
  }

  @Test
  void readUncommittedSeesWhatIsPreparedAlsoAfterAKill() throws SQLException {
    prepare(ours, "insert into entry values (3, 0)");
    TestServers.MariaDb.SERVER.kill();
    TestServers.MariaDb.SERVER.restart();
    other = connect();
    execute(other, "set transaction isolation level read uncommitted");
    assertThat(list(other, "select id from entry where id = 3")).hasSize(1);
    assertThat(list(other, "select id from entry where id = 3")).isEmpty();
    execute(other, "xa rollback " + xid);
  }

  @Test
  void aBranchThatWroteNothingIsUndoneWhenItsConnectionCloses() throws SQLException {
    execute(ours, "xa start " + xid);
    assertThat(list(ours, "select id from entry for update")).hasSize(2);
    execute(ours, "xa end " + xid);
    execute(ours, "xa prepare " + xid);
    assertThat(isListed()).isTrue();
    ours.close();
    Awaitility.await()
        .untilAsserted(
            () -> assertThat(failure(other, "xa commit " + xid)).isEqualTo("XA100 1402"));
    assertThat(isListed()).isFalse();
  }

  @Test
  void anyUserSeesAndEndsBranchesOfAnyDatabase() throws SQLException {
    prepare(ours, "insert into entry values (3, 0)");
    ours.close();
    String user = TestServers.unique("nobody");
    execute(other, "create user " + user + " identified by 'secret'");
    String url =
        "jdbc:mariadb://127.0.0.1:"
            + TestServers.MariaDb.SERVER.port()
            + "/?user="
            + user
            + "&password=secret";
    try (Connection stranger = DriverManager.getConnection(url)) {
      assertThat(list(stranger, "xa recover format = 'SQL'")).anyMatch(row -> row.endsWith(xid));
      eventually(() -> execute(stranger, "xa rollback " + xid));
    }
    assertThat(isListed()).isFalse();
  }

  @Test
  void whatWouldCommitIsRefusedInABranch() throws SQLException {
    execute(ours, "xa start " + xid);
    execute(ours, "insert into entry values (3, 0)");
    for (String sql :
        new String[] {
          "commit",
          "rollback",
          "begin",
          "create table x (id int)",
          "truncate entry",
          "lock tables entry write"
        }) {
      assertThat(failure(ours, sql)).as(sql).isEqualTo("XAE07 1399");
    }
    execute(ours, "xa end " + xid);
    execute(ours, "xa rollback " + xid);
  }

  @Test
  void whatIsNotInInnoDbStaysWhenTheBranchIsRolledBack() throws SQLException {
    for (String engine : new String[] {"myisam", "aria", "memory"}) {
      execute(other, "create table %s (id int) engine = %s".formatted(engine, engine));
      execute(ours, "xa start " + xid);
      execute(ours, "insert into %s values (1)".formatted(engine));
      execute(ours, "xa end " + xid);
      execute(ours, "xa rollback " + xid);
      assertThat(list(other, "select id from " + engine)).as(engine).containsExactly("1");
    }
  }
}
