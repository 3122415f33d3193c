package dev.holdfast.postgres.eventlog;

import static dev.holdfast.crashtest.Expect.effect;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.Condition;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventQuery;
import dev.holdfast.eventlog.ExpectedVersion;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** Appends, in a transaction, alone and on a condition, crashed at each commit, and asked again. */
final class AppendCrashTest {
  private static final Log LOG = new Log();
  private static final String NOTES = LOG.schema + ".note";
  private static final String EVENTS = LOG.schema + ".event";

  @BeforeAll
  static void createNotes() throws Exception {
    LOG.execute("create table " + NOTES + " (key text primary key)");
  }

  @AfterAll
  static void end() {
    LOG.close();
  }

  /** A process that appends. */
  private record Writer(Holdfast holdfast) {
    static Writer start(Resources resources) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(resources.dataSource("database", Log.server().jdbcUrl()));
      config.setMaximumPoolSize(3);
      config.setMinimumIdle(0);
      HikariDataSource pool = new HikariDataSource(config);
      resources.onStop(pool);
      Holdfast holdfast =
          Holdfast.on(pool).schema(LOG.schema).schemaManagedElsewhere().manual().holdfast();
      resources.onStop(holdfast);
      return new Writer(holdfast);
    }

    void append(String key) {
      holdfast.transact(
          tx -> {
            tx.update("insert into " + NOTES + " values (?) on conflict do nothing", key);
            holdfast
                .eventLog()
                .append(tx, Append.to(key, ExpectedVersion.none(), event(key, "opened")));
          });
      holdfast
          .eventLog()
          .append(Append.to(key, ExpectedVersion.exactly(1), event(key, "confirmed")));
      holdfast
          .eventLog()
          .append(
              Append.to(key, ExpectedVersion.any(), event(key, "closed").withTags("closed:" + key))
                  .onlyIf(Condition.never(EventQuery.tags("closed:" + key))));
    }

    /** As it is often done: what happened has a new id whenever it is told. */
    void appendUnderNewIds(String key) {
      for (String type : new String[] {"opened", "confirmed"}) {
        holdfast
            .eventLog()
            .append(Append.to(key, ExpectedVersion.any(), EventData.json(type, "{}")));
      }
    }
  }

  private static int tags(String key) {
    try {
      return (int)
          LOG.ask("select count(*) from ${schema}.event_tag where tag = 'closed:" + key + "'");
    } catch (SQLException e) {
      throw new IllegalStateException(e);
    }
  }

  private static EventData event(String key, String type) {
    EventData event = EventData.json(type, "{}");
    return new EventData(
        UUID.nameUUIDFromBytes((key + type).getBytes(StandardCharsets.UTF_8)),
        type,
        1,
        event.contentType(),
        event.data(),
        event.metadata(),
        event.tags());
  }

  @CrashTest(
      carriers = {Carrier.FENCED, Carrier.LOST_ACK},
      crashesDuringRecovery = 1)
  @Attacks({"eventlog.atomicity", "eventlog.once", "eventlog.version", "eventlog.condition"})
  void whatIsAppendedAgainIsThereOnce(CrashLab lab) {
    lab.application(Writer::start)
        .operation(Writer::append)
        .recoveredByRetry(2)
        .expect(
            row(NOTES).byKey("key").once(),
            row(EVENTS).byKey("stream").times(3),
            effect("database", "tag", AppendCrashTest::tags).once());
  }

  /** Whoever gives an event a new id when it is appended again has it twice. */
  @Test
  void whatIsAppendedAgainUnderAnotherIdIsThereTwice() {
    ExplorationReport report =
        CrashLab.explore(
            "new ids",
            CrashLab.Options.defaults(),
            lab ->
                lab.application(Writer::start)
                    .operation(Writer::appendUnderNewIds)
                    .recoveredByRetry(2)
                    .expect(row(EVENTS).byKey("stream").times(2)));
    assertThat(report.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
  }
}
