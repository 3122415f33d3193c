package dev.holdfast.micrometer;

import dev.holdfast.reconcile.Drift;
import dev.holdfast.reconcile.ReconcileListener;
import dev.holdfast.reconcile.Report;
import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import io.micrometer.core.instrument.Timer;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The meters of one pair that is reconciled. Thread-safe. Given to {@link
 * dev.holdfast.reconcile.Reconciliation#every} as the listener:
 *
 * <table>
 *   <caption>Meters; all have the tag {@code pair}</caption>
 *   <tr><th>name</th><th>is</th></tr>
 *   <tr><td>{@code holdfast.reconcile.drift.age}</td><td>how old the oldest difference is that the
 *       last run has left; 0 when none, NaN before the first run</td></tr>
 *   <tr><td>{@code holdfast.reconcile.differences}</td><td>how many the last run has found, by
 *       {@code drift}: missing, extra, stale, newer, duplicate; NaN before the first run</td></tr>
 *   <tr><td>{@code holdfast.reconcile.left}</td><td>how many it has left</td></tr>
 *   <tr><td>{@code holdfast.reconcile.repaired}</td><td>repairs; by {@code outcome}: done, overtaken,
 *       refused</td></tr>
 *   <tr><td>{@code holdfast.reconcile.run}</td><td>how long runs take, the settle window
 *       included</td></tr>
 *   <tr><td>{@code holdfast.reconcile.failures}</td><td>runs that have failed: what the others say is
 *       that old</td></tr>
 * </table>
 */
public final class ReconcileMeters implements ReconcileListener {
  private final Timer runs;
  private final Counter failures;
  private final Counter done;
  private final Counter overtaken;
  private final Counter refused;
  private volatile @Nullable Report last;

  /**
   * @param registry where the meters are registered
   * @param pair what the pair is called
   */
  public ReconcileMeters(MeterRegistry registry, String pair) {
    runs = Timer.builder("holdfast.reconcile.run").tag("pair", pair).register(registry);
    failures = Counter.builder("holdfast.reconcile.failures").tag("pair", pair).register(registry);
    done = repaired(registry, pair, "done");
    overtaken = repaired(registry, pair, "overtaken");
    refused = repaired(registry, pair, "refused");
    TimeGauge.builder("holdfast.reconcile.drift.age", this::age, TimeUnit.MILLISECONDS)
        .description("The age of the oldest difference that is left.")
        .tag("pair", pair)
        .strongReference(true)
        .register(registry);
    Gauge.builder("holdfast.reconcile.left", this::left)
        .description("Differences that are left.")
        .tag("pair", pair)
        .strongReference(true)
        .register(registry);
    for (Drift drift : Drift.values()) {
      Gauge.builder("holdfast.reconcile.differences", () -> count(drift))
          .description("Differences that the last run has found.")
          .tag("pair", pair)
          .tag("drift", drift.name().toLowerCase(Locale.ROOT))
          .strongReference(true)
          .register(registry);
    }
  }

  private static Counter repaired(MeterRegistry registry, String pair, String outcome) {
    return Counter.builder("holdfast.reconcile.repaired")
        .tag("pair", pair)
        .tag("outcome", outcome)
        .register(registry);
  }

  private double age() {
    Report report = last;
    return report == null ? Double.NaN : report.driftAge().toMillis();
  }

  private double left() {
    Report report = last;
    return report == null ? Double.NaN : report.left();
  }

  private double count(Drift drift) {
    Report report = last;
    return report == null ? Double.NaN : report.count(drift);
  }

  @Override
  public void ran(Report report) {
    last = report;
    runs.record(report.took());
    done.increment((double) report.repairs().done());
    overtaken.increment((double) report.repairs().overtaken());
    refused.increment((double) report.repairs().refused());
  }

  @Override
  public void failed(RuntimeException failure) {
    failures.increment();
  }
}
