package dev.holdfast.benchmarks;

import dev.holdfast.internal.Doorbell;
import java.time.Duration;

/** One contender, measured once. */
final class Run {
  private static final Duration SAMPLE = Duration.ofMillis(1);

  private final Servers servers;
  private final Plan plan;
  private final Contender contender;
  private final Measurement measurement;
  private final Mode mode;

  Run(Servers servers, Plan plan, Contender contender, Measurement measurement, Mode mode) {
    this.servers = servers;
    this.plan = plan;
    this.contender = contender;
    this.measurement = measurement;
    this.mode = mode;
  }

  Figures measure() {
    Venue venue = servers.venue(mode);
    try (Entry entry = contender.enter(venue)) {
      int backlog = contender.backlog(plan.messages());
      if (measurement.isDrain()) {
        entry.fill(backlog);
      }
      try (HeldSnapshot held =
          measurement.held() ? HeldSnapshot.take(servers.pool(), plan.updates()) : null) {
        return switch (measurement) {
          case COMMIT, COMMIT_HELD -> commit(entry, true);
          case COMMIT_ALONE -> commit(entry, false);
          case DRAIN, DRAIN_HELD -> drain(entry, venue, backlog);
          case LATENCY -> new LatencyRun(venue, entry, plan).measure();
        };
      }
    } catch (RuntimeException e) {
      throw new BenchmarkFailure("%s failed in %s".formatted(contender.name(), measurement), e);
    }
  }

  private Figures commit(Entry entry, boolean relay) {
    entry.start(relay);
    return Figures.rate(Writers.rate(entry, plan.commit()), Arrivals.NOT_COUNTED);
  }

  /**
   * From when the relay reads to the last acknowledgment: how long it takes to start is another
   * question.
   */
  private Figures drain(Entry entry, Venue venue, int messages) {
    long began = Doorbell.nanos();
    entry.start(true);
    boolean reading = false;
    long readingSince = began;
    long before = 0;
    long now = began;
    long delivered = 0;
    while (delivered < messages && !Doorbell.hasPassed(plan.limit(), began)) {
      pause();
      boolean begun = reading || entry.isReading();
      delivered = entry.delivered();
      now = Doorbell.nanos();
      if (!reading && begun && delivered < messages) {
        reading = true;
        readingSince = now;
        before = delivered;
      }
    }
    double seconds = Math.max(1, now - readingSince) / 1e9;
    return Figures.rate((delivered - before) / seconds, arrivals(venue, messages));
  }

  private static void pause() {
    try {
      new Doorbell().await(SAMPLE);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchmarkFailure("Interrupted during a run", e);
    }
  }

  private static Arrivals arrivals(Venue venue, int messages) {
    try (Reader reader = new Reader(venue.bootstrapServers(), venue.topic(), messages)) {
      do {
        reader.poll((number, nanos) -> {});
      } while (!reader.isAtEnd());
      return reader.arrivals(messages);
    }
  }
}
