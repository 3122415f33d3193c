package dev.holdfast.benchmarks;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;

/** One contender in one scenario, once. */
final class TwoPhaseRun {
  /** The first of a run warm up connections and statements, and are not timed. */
  private static final int WARM_DIVISOR = 10;

  private static final Duration LIMIT = Duration.ofMinutes(3);
  private static final Duration SAMPLE = Duration.ofMillis(1);

  private final TwoPhaseServers servers;
  private final TwoPhaseContender contender;
  private final TwoPhaseScenario scenario;
  private final int operations;
  private final int warm;
  private final AtomicLong next = new AtomicLong();
  private final AtomicLong done = new AtomicLong();
  private final AtomicLong timedSince = new AtomicLong();
  private final AtomicBoolean failed = new AtomicBoolean();

  /**
   * @param operations that are timed
   */
  TwoPhaseRun(
      TwoPhaseServers servers,
      TwoPhaseContender contender,
      TwoPhaseScenario scenario,
      int operations) {
    this.servers = servers;
    this.contender = contender;
    this.scenario = scenario;
    this.operations = operations;
    this.warm = Math.max(scenario.threads(), operations / WARM_DIVISOR);
  }

  /**
   * @param rate commits a second
   * @param forcedWrites of both servers' logs for each commit
   */
  record Figures(double rate, double forcedWrites) {}

  Figures measure() {
    servers.clear();
    long before = servers.forcedWrites();
    double rate;
    try (TwoPhaseEntry entry = contender.enter(servers, scenario)) {
      rate = rate(entry);
    } catch (BenchmarkFailure e) {
      throw e;
    } catch (Exception e) {
      throw new BenchmarkFailure(contender.name() + " failed", e);
    }
    long forced = servers.forcedWrites() - before;
    servers.check(warm + operations);
    return new Figures(rate, (double) forced / (warm + operations));
  }

  private double rate(TwoPhaseEntry entry) throws Exception {
    List<Background> threads = new ArrayList<>();
    long began = Doorbell.nanos();
    try {
      for (int i = 0; i < scenario.threads(); i++) {
        threads.add(Background.start("commits-" + i, running -> work(entry, running)));
      }
      while (done.get() < warm + operations && !failed.get()) {
        new Doorbell().await(SAMPLE);
        if (Doorbell.hasPassed(LIMIT, began)) {
          throw new BenchmarkFailure(
              "%,d of %,d transactions were committed within %s"
                  .formatted(done.get(), warm + operations, LIMIT));
        }
      }
    } finally {
      threads.forEach(Background::close);
    }
    entry.settle();
    return operations / ((Doorbell.nanos() - timedSince.get()) / 1e9);
  }

  private void work(TwoPhaseEntry entry, Background.Running running) throws Exception {
    try {
      for (long number = next.getAndIncrement();
          number < warm + operations && running.isWanted();
          number = next.getAndIncrement()) {
        entry.commit(number);
        if (done.incrementAndGet() == warm) {
          timedSince.set(Doorbell.nanos());
        }
      }
    } catch (Exception e) {
      failed.set(true);
      throw e;
    }
  }
}
