package dev.holdfast.reconcile;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.internal.Doorbell;
import java.time.Duration;
import java.time.Instant;
import java.util.EnumSet;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Compares a derived store with its source, and repairs it if told to.
 *
 * <p>A {@linkplain #run run} compares both in ranges of hashed keys, by count and sum, and reads
 * only what is in ranges that differ. What is seen to differ is read again when the settle window
 * has passed, and counts when the source has not changed meanwhile and the derived side has not
 * come to it: so what is on its way is no drift as long as it arrives within the window, whoever
 * writes, and in however long a transaction.
 *
 * <p>Without {@link Builder#repair} a run changes nothing. Runs of one instance follow one another,
 * and remember since when a difference is known. Thread-safe.
 */
public final class Reconciliation {
  /** So many ranges are asked for at once, at most. */
  public static final int RANGES_AT_ONCE = 1_024;

  /** So many keys are asked for at once, at most. */
  public static final int KEYS_AT_ONCE = 1_000;

  /** So many differences are repaired at once, at most. */
  public static final int REPAIRS_AT_ONCE = 200;

  private final Builder settings;
  private final ReentrantLock running = new ReentrantLock();
  private final Ages ages = new Ages();

  private Reconciliation(Builder settings) {
    this.settings = settings;
  }

  /**
   * Of two sides.
   *
   * @throws InvalidConfiguration when their versions are not of one kind
   */
  public static Builder of(Side source, Side derived) {
    if (source.versions() != derived.versions()) {
      throw new InvalidConfiguration(
          "%s is compared by %s and %s by %s: both must be compared by the same. Nothing was started."
              .formatted(
                  source.description(),
                  source.versions(),
                  derived.description(),
                  derived.versions()));
    }
    return new Builder(source, derived);
  }

  /**
   * Compares once, and repairs what it is to repair. Waits for the settle window when it has found
   * something, holding nothing meanwhile.
   *
   * @throws InterruptedException when interrupted; what was repaired stays so
   * @throws dev.holdfast.HoldfastException when a side cannot be looked at; what was repaired stays
   *     so
   */
  public Report run() throws InterruptedException {
    running.lockInterruptibly();
    try (Counted source = new Counted(settings.source.open());
        Counted derived = new Counted(settings.derived.open())) {
      return new Run(settings, ages, source, derived).run();
    } finally {
      running.unlock();
    }
  }

  /**
   * Runs again and again, on a thread of its own, until it is closed.
   *
   * @param interval from the end of a run to the next; 1 s to 7 days. The first is at once
   */
  public Schedule every(Duration interval, ReconcileListener listener) {
    Builder.check("The interval", interval, Duration.ofSeconds(1), Duration.ofDays(7));
    return new Schedule(this, interval, listener);
  }

  /** Waits for the settle window. */
  interface Wait {
    void pass(Duration duration) throws InterruptedException;
  }

  /** What is compared, and how. Not thread-safe. */
  public static final class Builder {
    final Side source;
    final Side derived;
    Duration settle = Duration.ofSeconds(30);
    int differencesAtMost = 100_000;
    int samplesAtMost = 100;
    int listBelow = 64;
    @Nullable Repair repair;
    Set<Drift> repaired = EnumSet.of(Drift.MISSING, Drift.STALE);
    int repairsAtMost = 1_000;
    Wait wait = duration -> new Doorbell().await(duration);

    private Builder(Side source, Side derived) {
      this.source = source;
      this.derived = derived;
    }

    private Builder(Builder other) {
      this(other.source, other.derived);
      settle = other.settle;
      differencesAtMost = other.differencesAtMost;
      samplesAtMost = other.samplesAtMost;
      listBelow = other.listBelow;
      repair = other.repair;
      repaired = EnumSet.copyOf(other.repaired);
      repairsAtMost = other.repairsAtMost;
      wait = other.wait;
    }

    /**
     * How long a change may take from the source to the derived side without being drift; 0 to 1
     * day, default 30 s. With 0, what is on its way is drift.
     */
    public Builder settle(Duration value) {
      check("The settle window", value, Duration.ZERO, Duration.ofDays(1));
      settle = value;
      return this;
    }

    /**
     * How many keys that differ are looked for in a run; 1 to 1,000,000, default 100,000. With
     * more, the report says that it is not complete.
     */
    public Builder differencesAtMost(int value) {
      check("differencesAtMost", value, 1, 1_000_000);
      differencesAtMost = value;
      return this;
    }

    /** How many differences of each kind the report has; 0 to 10,000, default 100. */
    public Builder samplesAtMost(int value) {
      check("samplesAtMost", value, 0, 10_000);
      samplesAtMost = value;
      return this;
    }

    /** With how many rows a range that differs is read; 1 to 1,000, default 64. */
    public Builder listBelow(int value) {
      check("listBelow", value, 1, 1_000);
      listBelow = value;
      return this;
    }

    /** Repairs what is missing and what is stale. */
    public Builder repair(Repair value) {
      repair = value;
      return this;
    }

    /**
     * Deletes what is extra, too. Where the source is not what it should be, an empty copy of it,
     * say, that is everything, {@link #repairsAtMost} at a time.
     */
    public Builder deleteExtras() {
      repaired.add(Drift.EXTRA);
      return this;
    }

    /** How many differences a run repairs; 1 to 1,000,000, default 1,000. */
    public Builder repairsAtMost(int value) {
      check("repairsAtMost", value, 1, 1_000_000);
      repairsAtMost = value;
      return this;
    }

    /** In tests, where time is what they say. */
    Builder wait(Wait value) {
      wait = value;
      return this;
    }

    public Reconciliation build() {
      return new Reconciliation(new Builder(this));
    }

    boolean bothKnowChanges() {
      return source.knowsChanges() && derived.knowsChanges();
    }

    @Nullable Instant changedBefore(Instant now) {
      return bothKnowChanges() ? now.minus(settle) : null;
    }

    static void check(String what, Duration value, Duration least, Duration most) {
      if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
        throw new InvalidConfiguration(
            "%s is %s, and must be %s to %s. Nothing was started."
                .formatted(what, value, least, most));
      }
    }

    private static void check(String what, int value, int least, int most) {
      if (value < least || value > most) {
        throw new InvalidConfiguration(
            "%s is %,d, and must be %,d to %,d. Nothing was started."
                .formatted(what, value, least, most));
      }
    }
  }
}
