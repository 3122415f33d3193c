package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;

/** The decision in a row of the first database. Recovery and cleaning run beside, as they do. */
final class HoldfastTwoPhaseContender implements TwoPhaseContender {
  private static final Duration LIMIT = Duration.ofMinutes(1);
  private static final Duration SAMPLE = Duration.ofMillis(1);

  /** For the second phase, recovery and cleaning. */
  private static final int OWN_CONNECTIONS = 4;

  @Override
  public String name() {
    return "holdfast";
  }

  @Override
  public String guarantee(TwoPhaseScenario scenario) {
    return scenario.isAsynchronous()
        ? "atomic; recovered by any process; the second database follows the reply"
        : "atomic; recovered by any process";
  }

  @Override
  public Map<String, String> settings() {
    return BestSettings.TWO_PHASE_HOLDFAST;
  }

  @Override
  public TwoPhaseEntry enter(TwoPhaseServers servers, TwoPhaseScenario scenario) {
    HikariDataSource a = pool(servers.urlA(), scenario.threads());
    HikariDataSource b = pool(servers.urlB(), scenario.threads());
    Participant other = Participant.of("other", b);
    TwoPhaseSettings settings =
        TwoPhaseSettings.DEFAULT
            .withAsynchronousSecondPhase(scenario.isAsynchronous())
            // Within a run, so that forgetting is a part of what is measured.
            .withRecoveryInterval(Duration.ofSeconds(1))
            .withKeepDecisions(Duration.ofSeconds(1));
    Holdfast holdfast = Holdfast.on(a).participant(other).twoPhase(settings).start();
    return new TwoPhaseEntry() {
      @Override
      public void commit(long number) {
        holdfast.atomically(
            holdfast.decider(),
            other,
            (o, l) -> {
              EntryTable.insert(o.connection(), number);
              EntryTable.insert(l.connection(), number);
            });
      }

      @Override
      public void settle() throws InterruptedException {
        long began = Doorbell.nanos();
        while (Db.count(b, "select count(*) from pg_prepared_xacts") > 0) {
          if (Doorbell.hasPassed(LIMIT, began)) {
            throw new BenchmarkFailure("Branches are still prepared " + LIMIT + " after the run");
          }
          new Doorbell().await(SAMPLE);
        }
      }

      @Override
      public void close() throws SQLException {
        holdfast.close();
        b.close();
        a.close();
      }
    };
  }

  private static HikariDataSource pool(String url, int threads) {
    // As the manual advises: else each transaction sets it, which is a round trip.
    return Db.pool(url + "&options=-c%20lock_timeout=5s", threads + OWN_CONNECTIONS);
  }
}
