package dev.holdfast.postgres.eventlog;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Resources;
import dev.holdfast.crashtest.Scenario;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.projection.Projection;
import dev.holdfast.projection.ProjectionSettings;
import dev.holdfast.projection.Projections;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.util.List;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/** A view and a reaction, crashed at each commit point of whoever follows the log. */
final class ProjectionCrashTest {
  private static final Log LOG = new Log();
  private static final String VIEW = LOG.schema + ".crashed_view";
  private static final String MESSAGES = LOG.schema + ".message";

  @BeforeAll
  static void createView() throws Exception {
    LOG.execute("create table " + VIEW + " (key text)");
    LOG.holdfast.store().channels().register("reactions", List.of("reacted"));
    Projections.of(LOG.holdfast, projection(null));
  }

  @AfterAll
  static void end() {
    LOG.close();
  }

  /**
   * @param beside where the view is written past the transaction; {@code null} for within
   */
  private static Projection projection(@Nullable DataSource beside) {
    return Projection.named("crashed", 1)
        .on(
            "noted",
            (tx, event) -> {
              String insert = "insert into " + VIEW + " values (?)";
              if (beside == null) {
                tx.update(insert, event.stream());
              } else {
                try (Connection other = beside.getConnection();
                    PreparedStatement statement = other.prepareStatement(insert)) {
                  statement.setString(1, event.stream());
                  statement.executeUpdate();
                }
              }
              tx.publish(Message.of("reacted", event.stream(), "{}"));
            })
        .build();
  }

  /** A process that follows the log. */
  private record Follower() {
    static Follower start(Resources resources, boolean within) {
      HikariConfig config = new HikariConfig();
      config.setDataSource(resources.dataSource("database", Log.server().jdbcUrl()));
      config.setMaximumPoolSize(6);
      config.setMinimumIdle(0);
      config.setConnectionTimeout(5_000);
      HikariDataSource pool = new HikariDataSource(config);
      resources.onStop(pool);
      Holdfast holdfast =
          Holdfast.on(pool).schema(LOG.schema).schemaManagedElsewhere().manual().holdfast();
      resources.onStop(holdfast);
      resources.onStop(
          Projections.start(
              holdfast,
              ProjectionSettings.DEFAULT
                  .withLease(Duration.ofSeconds(1))
                  .withPollInterval(Duration.ofMillis(5)),
              projection(within ? null : pool)));
      return new Follower();
    }

    void awaitApplied(String key) {
      Awaitility.await()
          .atMost(Duration.ofSeconds(30))
          .pollInterval(Duration.ofMillis(10))
          .until(
              () -> !LOG.list("select key from " + VIEW + " where key = '" + key + "'").isEmpty());
    }
  }

  private static Scenario<Follower> follow(CrashLab lab, boolean within) {
    return lab.application(resources -> Follower.start(resources, within))
        .given(key -> LOG.append(key, "{}"))
        .operation(Follower::awaitApplied)
        .quiesce(Duration.ofSeconds(within ? 20 : 3))
        .attemptTimeout(Duration.ofSeconds(60))
        .ignoring("pg_notify")
        .ignoring(LOG.schema + ".lease")
        // A look, which comes as often as there is time for.
        .ignoring(LOG.schema + ".event_mark")
        .expect(row(VIEW).byKey("key").once(), row(MESSAGES).byKey("key").once());
  }

  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({"projection.once", "projection.takeover", "projection.fence"})
  void eachEventHasItsEffectsOnceWhateverCrashes(CrashLab lab) {
    follow(lab, true);
  }

  /** A view that is written beside the checkpoint's commit is found out. */
  @Test
  void whatIsWrittenBesideTheCheckpointIsThereTwice() {
    ExplorationReport report =
        CrashLab.explore("view apart", CrashLab.Options.defaults(), lab -> follow(lab, false));
    assertThat(report.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
  }
}
