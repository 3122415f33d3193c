package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Condition;
import dev.holdfast.eventlog.ConditionFailed;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventPage;
import dev.holdfast.eventlog.EventQuery;
import dev.holdfast.eventlog.EventReader;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.Matching;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.WrongExpectedVersion;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What was moved out of the way is read as before. */
final class ArchiveTest {
  private final Log log = new Log();

  @AfterEach
  void end() {
    log.close();
  }

  @Test
  @Attacks("eventlog.kept")
  void archivedEventsAreReadWhereTheyWere() throws SQLException {
    for (int i = 1; i <= 4; i++) {
      log.append("old", ExpectedVersion.any(), Log.event("o" + i).withTags("t"));
      log.append("new", "n" + i);
    }
    EventQuery query = EventQuery.tags("t").ofTypes("noted");
    Matching before = log.log.read(query);
    assertThat(log.log.archive("old", 2)).isEqualTo(2);
    assertThat(log.log.archive("old", 2)).isZero();
    assertThat(log.ask("select count(*) from ${schema}.event_archive")).isEqualTo(2);

    StreamQuery old = StreamQuery.of("old");
    assertThat(Log.bodies(log.log.read(old))).containsExactly("o1", "o2", "o3", "o4");
    assertThat(Log.bodies(log.log.read(old.latestFirst().asOfVersion(3))))
        .containsExactly("o3", "o2", "o1");
    assertThat(Log.bodies(Log.drain(log.log.reader(0), 3)))
        .containsExactly("o1", "n1", "o2", "n2", "o3", "n3", "o4", "n4");
    assertThat(log.log.read(query).events())
        .extracting(RecordedEvent::position)
        .isEqualTo(before.events().stream().map(RecordedEvent::position).toList());
    Append more = Append.to("new", ExpectedVersion.any(), Log.event("5"));
    log.log.append(more.onlyIf(before.condition()));
    assertThatThrownBy(
            () ->
                log.log.append(
                    Append.to("new", ExpectedVersion.any(), Log.event("6"))
                        .onlyIf(Condition.never(query))))
        .isInstanceOf(ConditionFailed.class)
        .hasMessageContaining("version 1 of stream old");
  }

  @Test
  void theLastEventStaysForItsVersion() throws SQLException {
    EventData first = Log.event("1");
    log.append("a", ExpectedVersion.none(), first);
    log.append("a", "2", "3");
    assertThat(log.log.archive("a", Long.MAX_VALUE)).isEqualTo(2);
    assertThat(log.ask("select count(*) from ${schema}.event")).isEqualTo(1);
    assertThatThrownBy(() -> log.append("a", ExpectedVersion.none(), Log.event("x")))
        .isInstanceOf(WrongExpectedVersion.class);
    assertThat(log.append("a", ExpectedVersion.none(), first).repeated())
        .as("an archived event, appended again behind the version of then")
        .isTrue();
    assertThat(log.append("a", "4").version("a")).isEqualTo(4);
  }

  @Test
  @Attacks({"eventlog.kept", "eventlog.settled"})
  void aReaderBesideArchivingOverlooksNothingAndIsHeldByNobodyForLong() throws Exception {
    int streams = 6;
    int versions = 120;
    for (int v = 0; v < versions; v++) {
      for (int s = 0; s < streams; s++) {
        log.append("s" + s, "{}");
      }
    }
    CompletableFuture<Void> archiving =
        CompletableFuture.runAsync(
            () -> {
              for (int v = 10; v <= versions; v += 10) {
                for (int s = 0; s < streams; s++) {
                  log.log.archive("s" + s, v);
                }
              }
            });
    do {
      List<Long> seen = new ArrayList<>();
      EventReader reader = log.log.reader(0);
      while (seen.size() < streams * versions) {
        EventPage page = reader.next(37);
        page.events().forEach(event -> seen.add(event.position()));
      }
      assertThat(seen).doesNotHaveDuplicates().isSorted();
    } while (!archiving.isDone());
    archiving.get();
    assertThat(log.ask("select count(*) from ${schema}.event")).isEqualTo(streams);
    assertThat(log.log.holders()).isEmpty();
  }

  /** Where the roles were made before, a migration grants what they would be granted with it. */
  @Test
  void rolesThatWereThereBeforeHaveTheSameRights() throws SQLException {
    log.execute(log.holdfast.store().schema().printRoles());
    try (Log later = new Log()) {
      List<String> before = rights(later);
      later.execute(later.holdfast.store().schema().printRoles());
      assertThat(before).containsAll(rights(later));
      assertThat(before)
          .contains("holdfast_relay execute archive_events", "holdfast_writer SELECT event_all")
          .doesNotContain("holdfast_writer execute archive_events");
    }
  }

  private static List<String> rights(Log of) throws SQLException {
    List<String> rights = new ArrayList<>();
    try (Connection connection = Log.dataSource().getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                of.in(
                    """
                    select r || ' execute ' || f.proname
                    from unnest(array['holdfast_writer', 'holdfast_relay', 'holdfast_admin']) r, pg_proc f
                    where f.pronamespace = '${schema}'::regnamespace
                      and f.proname ~ 'event|lock_tags|lock_streams'
                      and has_function_privilege(r, f.oid, 'execute')
                    union all
                    select r || ' ' || p || ' ' || c.relname
                    from unnest(array['holdfast_writer', 'holdfast_relay', 'holdfast_admin']) r,
                      unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p, pg_class c
                    where c.relnamespace = '${schema}'::regnamespace and (c.relkind = 'r' or c.relkind = 'v' and p = 'SELECT')
                      and c.relname ~ '^(event|operation_event_eventlog)'
                      and has_table_privilege(r, c.oid, p)
                    """))) {
      while (rows.next()) {
        rights.add(rows.getString(1));
      }
    }
    return rights;
  }

  @Test
  void aWriterMayNotArchive() throws SQLException {
    log.execute(log.holdfast.store().schema().printRoles());
    try (Connection connection = Log.dataSource().getConnection()) {
      log.execute(connection, "set role holdfast_writer");
      assertThatThrownBy(
              () -> log.execute(connection, "select ${schema}.archive_events('a', 1, 1)"))
          .isInstanceOf(SQLException.class)
          .extracting(e -> ((SQLException) e).getSQLState())
          .isEqualTo("42501");
      log.execute(connection, "select * from ${schema}.event_all");
      log.execute(connection, "reset role");
    }
  }
}
