package dev.holdfast.cli.takeover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Expect;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.postgres.OldTable;
import dev.holdfast.postgres.Takeover;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/**
 * The command's work is crashed at every point where it commits something: three rows of a key in
 * batches of two, and the trigger with the last batch. Whoever ran it runs it again.
 */
final class TakeoverCrashTest {
  private static final OldDatabase DELETING = table(OldDatabase.create("*"));
  private static final OldDatabase MARKING = gruelbox(OldDatabase.create("*"));
  private static final String[] VALUES = {"1", "2", "3"};

  private static OldDatabase table(OldDatabase database) {
    return prepared(
        database,
        """
        create table outboxevent (id uuid primary key default gen_random_uuid(),
          timestamp bigint generated always as identity, aggregatetype text, aggregateid text,
          type text, payload text)""");
  }

  private static OldDatabase gruelbox(OldDatabase database) {
    return prepared(
        database,
        """
        create table txno_outbox (id varchar(36) primary key default gen_random_uuid()::text,
          invocation text, nextattempttime timestamp(6) default localtimestamp, blocked boolean,
          processed boolean default false, uniquerequestid varchar(250) unique,
          topic varchar(250) not null default '*', seq bigint, version int default 0)""");
  }

  private static OldDatabase prepared(OldDatabase database, String ddl) {
    try {
      database.execute(ddl);
      return database;
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static OldTable deleting() {
    return DebeziumTable.of(
        TableShape.of(DELETING.dataSource(), "outboxevent"),
        new Mapping("old", null, "%"),
        Map.of(),
        true);
  }

  private static OldTable marking() {
    return GruelboxTable.of(
        TableShape.of(MARKING.dataSource(), "txno_outbox"), new Mapping("old", null, "%"), false);
  }

  @CrashTest(pairs = true)
  void rowsThatAreDeletedWhenMovedAreInOnePlaceWhateverCrashes(CrashLab lab) {
    describe(lab, DELETING, deleting(), UnaryOperator.identity(), true);
  }

  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  void rowsThatAreMarkedWhenMovedAreInOnePlaceWhateverCrashes(CrashLab lab) {
    describe(lab, MARKING, marking(), UnaryOperator.identity(), true);
  }

  /** The control: marked in a transaction of its own, rows are moved twice. */
  @Test
  void marksThatCommitApartFromTheMessagesRepeatThem() {
    ExplorationReport report =
        CrashLab.explore(
            "mark apart",
            CrashLab.Options.defaults(),
            lab ->
                describe(
                    lab, DELETING, deleting(), TakeoverCrashTest::committingBeforeDeletes, false));

    assertThat(report.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
  }

  private static void describe(
      CrashLab lab,
      OldDatabase database,
      OldTable table,
      UnaryOperator<DataSource> wrapped,
      boolean look) {
    String[] current = {""};
    boolean deletes = database.equals(DELETING);
    lab.application(
            resources ->
                Takeover.of(
                    wrapped.apply(resources.dataSource("shop", database.url())),
                    "holdfast",
                    table,
                    2,
                    Duration.ofSeconds(20)))
        .given(
            key -> {
              current[0] = key;
              database.execute(
                  "drop trigger if exists holdfast_takeover on " + table.name(),
                  deletes
                      ? "insert into outboxevent (aggregatetype, aggregateid, type, payload) select 'x', '%s', 'x', n from generate_series(1, 3) n"
                          .formatted(key)
                      : "insert into txno_outbox (topic, seq, invocation) select '%s', n, jsonb_build_object('c', 'C', 'm', 'm', 'n', n) from generate_series(1, 3) n"
                          .formatted(key));
            })
        .operation((takeover, key) -> takeover.cutOver())
        .recover(
            takeover -> {
              if (look) {
                requireEachInOnePlace(database, deletes, current[0]);
              }
            })
        .recoveredByRetry(2)
        .expect(
            Expect.effects("shop", "message", key -> messages(database, key)).inOrder(VALUES),
            Expect.effect(
                    "shop",
                    "trigger",
                    key -> isMoved(database, deletes, key) ? triggers(database) : 0)
                .once());
  }

  /** What is checked where the crash has left it, before anything is tried again. */
  private static void requireEachInOnePlace(OldDatabase database, boolean deletes, String key) {
    List<String> all = new ArrayList<>(messages(database, key));
    all.addAll(
        ask(
            database,
            (deletes
                    ? "select payload from outboxevent where aggregateid = '%s' order by timestamp"
                    : "select invocation::jsonb ->> 'n' from txno_outbox where topic = '%s' and not processed order by seq")
                .formatted(key)));
    assertThat(all).containsExactly(VALUES);
  }

  private static List<String> messages(OldDatabase database, String key) {
    return ask(
        database,
        """
        select coalesce(case when left(p, 1) = '{' then p::jsonb ->> 'n' end, p)
        from (select convert_from(payload, 'UTF8') as p, position from holdfast.message
              where key = '%s') m order by position"""
            .formatted(key));
  }

  /** Whether nothing waits, and something is there. */
  private static boolean isMoved(OldDatabase database, boolean deletes, String key) {
    return !messages(database, key).isEmpty()
        && ask(
                database,
                (deletes
                        ? "select 1 from outboxevent where aggregateid = '%s'"
                        : "select 1 from txno_outbox where topic = '%s' and not processed")
                    .formatted(key))
            .isEmpty();
  }

  /** Those that this run has installed: the run before has had its own dropped. */
  private static int triggers(OldDatabase database) {
    return ask(database, "select 1 from pg_trigger where tgname = 'holdfast_takeover'").size();
  }

  private static List<String> ask(OldDatabase database, String sql) {
    try {
      return database.query(sql);
    } catch (SQLException e) {
      throw new IllegalStateException(sql, e);
    }
  }

  /** Takes the step out of the protocol: messages and marks share no commit. */
  private static DataSource committingBeforeDeletes(DataSource real) {
    return proxy(
        DataSource.class,
        real,
        (method, arguments, result) ->
            result instanceof Connection connection
                ? proxy(
                    Connection.class,
                    connection,
                    (inner, sql, prepared) -> {
                      if (inner.equals("prepareStatement")
                          && String.valueOf(sql[0]).startsWith("delete from")) {
                        connection.commit();
                      }
                      return prepared;
                    })
                : result);
  }

  /** What is made of a result. */
  private interface Afterwards {
    Object apply(String method, Object[] arguments, Object result) throws SQLException;
  }

  private static <T> T proxy(Class<T> type, T real, Afterwards afterwards) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (self, method, arguments) -> {
              try {
                return afterwards.apply(
                    method.getName(),
                    arguments == null ? new Object[0] : arguments,
                    method.invoke(real, arguments));
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }
}
