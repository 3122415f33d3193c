package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.DatabaseFailure;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.CheckpointAhead;
import dev.holdfast.eventlog.EventPage;
import dev.holdfast.eventlog.EventReader;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.Holder;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Who holds the mark, and who does not; and what is done at its edges. */
final class SettledPrefixTest {
  private final Log log = new Log();
  private final EventReader reader = log.log.reader(0);

  @AfterEach
  void end() {
    log.close();
  }

  private List<String> read() {
    return Log.bodies(Log.drain(reader, 2));
  }

  private void append(Connection connection, String stream, String body) {
    log.append(connection, Append.to(stream, ExpectedVersion.any(), Log.event(body)));
  }

  @Test
  void everythingIsReadOnceInOrderAndInPages() {
    log.append("a", "1", "2", "3");
    log.append("b", "4");
    assertThat(read()).containsExactly("1", "2", "3", "4");
    assertThat(read()).isEmpty();
    log.append("a", "5");
    assertThat(read()).containsExactly("5");
    assertThat(Log.bodies(Log.drain(log.log.reader(reader.checkpoint() - 1), 10)))
        .containsExactly("5");
  }

  @Test
  @Attacks("eventlog.settled")
  void anEarlierPositionThatIsCommittedLateIsWaitedForAndItsHolderNamed() throws SQLException {
    log.append("a", "before");
    Connection late = Log.begin();
    log.execute(late, "set application_name = 'the late one'");
    append(late, "l", "late");
    log.append("a", "behind");

    EventPage page = reader.next(10);
    // The first mark cannot tell what lies before the late one.
    assertThat(Log.bodies(page.events())).isEmpty();
    assertThat(page.waiting()).isTrue();
    assertThat(read()).isEmpty();
    assertThat(log.log.holders())
        .singleElement()
        .satisfies(
            holder -> {
              assertThat(holder.pid()).isEqualTo(pid(late));
              assertThat(holder.application()).isEqualTo("the late one");
              assertThat(holder.user()).isEqualTo("postgres");
              assertThat(holder.since()).isNotNull();
              assertThat(holder.gid()).isNull();
            });
    late.commit();
    assertThat(read()).containsExactly("before", "late", "behind");
    assertThat(log.log.holders()).isEmpty();
    Log.end(late);
  }

  @Test
  void whatWasSettledBeforeALateOneCameIsNotHeldUpByIt() throws SQLException {
    Connection first = Log.begin();
    append(first, "f", "first");
    assertThat(read()).isEmpty();
    Connection second = Log.begin();
    append(second, "s", "second");
    first.commit();
    // The second is there still, but was not when the mark was taken.
    assertThat(read()).containsExactly("first");
    second.rollback();
    assertThat(read()).isEmpty();
    Log.end(first);
    Log.end(second);
  }

  @Test
  @Attacks("eventlog.settled")
  void aPreparedTransactionHoldsTheMarkUnderItsName() throws SQLException {
    Connection branch = Log.begin();
    append(branch, "b", "branch");
    log.append("a", "behind");
    assertThat(read()).isEmpty();
    log.execute(branch, "prepare transaction '${schema}-gid'");
    assertThat(read()).isEmpty();
    assertThat(log.log.holders())
        .singleElement()
        .satisfies(
            holder -> {
              assertThat(holder.pid()).isNull();
              assertThat(holder.gid()).isEqualTo(log.schema + "-gid");
              assertThat(holder.since()).isNotNull();
            });
    log.execute("commit prepared '${schema}-gid'");
    assertThat(read()).containsExactly("branch", "behind");
    Log.end(branch);
  }

  /** Its name changes over the restart, when nothing else is left of who was there. */
  @Test
  @Attacks("eventlog.settled")
  void aPreparedTransactionIsWaitedForOverARestart() throws SQLException {
    Connection branch = Log.begin();
    append(branch, "b", "branch");
    log.append("a", "behind");
    assertThat(read()).isEmpty();
    log.execute(branch, "prepare transaction '${schema}-gid'");
    assertThat(read()).isEmpty();
    Log.end(branch);
    Log.server().killServer();
    Log.server().restart();
    Log.dataSource().getHikariPoolMXBean().softEvictConnections();
    log.append("a", "after");
    assertThat(read()).isEmpty();
    log.execute("commit prepared '${schema}-gid'");
    assertThat(read()).containsExactly("branch", "behind", "after");
  }

  @Test
  void aPreparedTransactionThatIsThereBeforeTheFirstLookIsWaitedFor() throws SQLException {
    Connection branch = Log.begin();
    append(branch, "b", "branch");
    log.execute(branch, "prepare transaction '${schema}-gid'");
    log.append("a", "behind");
    assertThat(read()).isEmpty();
    log.execute("rollback prepared '${schema}-gid'");
    assertThat(read()).containsExactly("behind");
    Log.end(branch);
  }

  @Test
  @Attacks("eventlog.apart")
  void whoeverHasNotTouchedTheTableDelaysNobody() throws SQLException {
    Log.server().createDatabase(log.schema);
    try (HikariDataSource elsewhere = Log.pool(Log.server().jdbcUrl(log.schema), 1);
        Connection other = elsewhere.getConnection()) {
      other.setAutoCommit(false);
      log.execute(other, "create table event (position bigint)");
      log.execute(other, "insert into event values (1)");
      Connection writes = Log.begin();
      log.execute(writes, "create table ${schema}.other (n int)");
      Connection reads = Log.begin();
      reads.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      log.execute(reads, "select count(*) from ${schema}.event");
      log.append("a", "1");
      assertThat(read()).containsExactly("1");
      assertThat(log.log.holders()).isEmpty();
      reads.rollback();
      reads.setTransactionIsolation(Connection.TRANSACTION_READ_COMMITTED);
      Log.end(reads);
      Log.end(writes);
      other.rollback();
    }
  }

  @Test
  void aSavepointThatIsRolledBackTakesItsPositionsAndItsLockWithIt() throws SQLException {
    Connection open = Log.begin();
    log.execute(open, "select pg_current_xact_id()");
    Savepoint savepoint = open.setSavepoint();
    append(open, "s", "undone");
    open.rollback(savepoint);
    log.append("a", "behind");
    // It holds the lock no more, and what it draws now lies behind what is read.
    assertThat(read()).containsExactly("behind");
    append(open, "s", "redone");
    log.append("a", "last");
    assertThat(read()).isEmpty();
    open.commit();
    assertThat(read()).containsExactly("redone", "last");
    Log.end(open);
  }

  @Test
  void aLockThatIsStrongerIsSeenAsWell() throws SQLException {
    Connection open = Log.begin();
    log.execute(open, "lock table ${schema}.event in share row exclusive mode");
    append(open, "s", "1");
    assertThat(read()).isEmpty();
    open.commit();
    assertThat(read()).containsExactly("1");
    Log.end(open);
  }

  @Test
  void aCheckpointIsThatOfAnEventAndNeverABarePosition() throws SQLException {
    log.append("a", "1");
    assertThat(read()).containsExactly("1");
    Connection undone = Log.begin();
    append(undone, "u", "undone");
    Log.end(undone);
    assertThat(read()).isEmpty();
    assertThat(reader.checkpoint()).isEqualTo(1);
    assertThat(log.ask("select pg_sequence_last_value('${schema}.event_position')")).isEqualTo(2);
  }

  @Test
  void anEmptyPageBehindBurntPositionsIsNoEnd() throws SQLException {
    log.append("a", "1");
    Connection undone = Log.begin();
    append(undone, "u", "undone");
    Log.end(undone);
    // Position 2 is settled, and there is no event up to it that is left to be read.
    assertThat(Log.bodies(reader.next(1).events())).containsExactly("1");
    log.append("a", "3");
    assertThat(Log.bodies(reader.next(1).events())).containsExactly("3");
  }

  @Test
  @Attacks("eventlog.settled")
  void aLogThatHasGoneBackIsNotReadOn() throws SQLException {
    log.append("a", "1", "2");
    assertThat(read()).hasSize(2);
    log.execute("delete from ${schema}.event where position > 1");
    log.execute("select setval('${schema}.event_position', 1)");
    assertThatThrownBy(() -> reader.next(1)).isInstanceOf(CheckpointAhead.class);
  }

  @Test
  void aSequenceThatKeepsPositionsForLaterIsRefused() throws SQLException {
    log.append("a", "1");
    log.execute("alter sequence ${schema}.event_position cache 32");
    assertThatThrownBy(() -> reader.next(1))
        .isInstanceOf(DatabaseFailure.class)
        .hasMessageContaining("has been altered");
    log.execute("alter sequence ${schema}.event_position cache 1");
    assertThat(read()).hasSize(1);
  }

  /** Why: of two sessions, the one that draws later commits a lower position. */
  @Test
  void withACachedSequenceALaterTransactionWouldCommitALowerPosition() throws SQLException {
    log.execute("alter sequence ${schema}.event_position cache 32");
    Connection one = Log.begin();
    append(one, "o", "1");
    one.commit();
    log.append("a", "33");
    append(one, "o", "2");
    one.commit();
    Log.end(one);
    assertThat(
            log.ask(
                "select count(*) from ${schema}.event x join ${schema}.event y on x.position < y.position and convert_from(x.data, 'UTF8') = '2' and convert_from(y.data, 'UTF8') = '33'"))
        .isEqualTo(1);
  }

  @Test
  void aReaderWaitsAsLongAsItIsTold() throws Exception {
    assertThat(reader.next(1, Duration.ofMillis(30)).events()).isEmpty();
    log.append("a", "1");
    assertThat(Log.bodies(reader.next(1, Duration.ofSeconds(10)).events())).containsExactly("1");
  }

  @Test
  void aReaderWhoseRightsAreThoseOfAWriterReadsAndSeesWhoHoldsTheMark() throws SQLException {
    log.execute(log.holdfast.store().schema().printRoles());
    Connection late = Log.begin();
    append(late, "l", "late");
    try (Connection connection = Log.dataSource().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("set role holdfast_writer");
      statement.execute(log.in("select ${schema}.event_mark(0)"));
      try (ResultSet row =
          statement.executeQuery(log.in("select pid, since from ${schema}.event_holder"))) {
        row.next();
        assertThat(row.getInt(1)).isEqualTo(pid(late));
      }
      for (String forbidden :
          List.of(
              "insert into ${schema}.event_tag values ('t', 1)",
              "update ${schema}.event set stream = 'x'",
              "delete from ${schema}.event",
              "select nextval('${schema}.event_position')")) {
        assertThatThrownBy(() -> statement.execute(log.in(forbidden)))
            .as(forbidden)
            .isInstanceOf(SQLException.class)
            .extracting(e -> ((SQLException) e).getSQLState())
            .isEqualTo("42501");
      }
      statement.execute("reset role");
    }
    Log.end(late);
  }

  private static int pid(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row = statement.executeQuery("select pg_backend_pid()")) {
      row.next();
      return row.getInt(1);
    }
  }

  @Test
  void holdersAreToldTheLongestFirst() throws SQLException {
    Connection one = Log.begin();
    append(one, "1", "1");
    Connection two = Log.begin();
    append(two, "2", "2");
    assertThat(log.log.holders()).extracting(Holder::pid).containsExactly(pid(one), pid(two));
    Log.end(one);
    Log.end(two);
  }
}
