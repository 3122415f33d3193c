package dev.holdfast.twophase;

import dev.holdfast.InvalidConfiguration;
import java.time.Duration;

/**
 * How operations across databases are run and recovered. All processes that use the same databases
 * should have the same.
 *
 * @param lockTimeout how long a statement waits for a lock, where the session does not say; 1 ms to
 *     10 min, default 5 s. Nobody sees a deadlock across databases, so it ends by this
 * @param decideWithin how long after it is about to prepare an operation may still be committed;
 *     100 ms to 10 min, default 20 s. A host that dies at the worst moment holds the locks of its
 *     operation for as long as that. A deciding database that was restarted or moved aborts what
 *     was in doubt only after one and a half times this
 * @param recoverAfter how old a prepared branch has to be for others to ask about it; 0 to 10 min,
 *     default 2 s
 * @param recoveryInterval how often that is looked for; 10 ms to 10 min, default 5 s
 * @param keepDecisions how long a decision is kept after it was carried out, so that a participant
 *     that loses a commit in a failover is brought up to date by itself; 0 to 7 days, default 10
 *     min
 * @param asynchronousSecondPhase whether an operation returns as soon as it is decided: the other
 *     databases commit behind it, and what it did there is seen a little later; default false
 * @param pendingAtMost how many such commits may wait in this process, 1 to 1,000,000, default 100,
 *     and never more than a quarter of what the participant can have prepared; an operation that
 *     finds more carries its own out itself
 */
public record TwoPhaseSettings(
    Duration lockTimeout,
    Duration decideWithin,
    Duration recoverAfter,
    Duration recoveryInterval,
    Duration keepDecisions,
    boolean asynchronousSecondPhase,
    int pendingAtMost) {

  public static final TwoPhaseSettings DEFAULT =
      new TwoPhaseSettings(
          Duration.ofSeconds(5),
          Duration.ofSeconds(20),
          Duration.ofSeconds(2),
          Duration.ofSeconds(5),
          Duration.ofMinutes(10),
          false,
          100);

  public TwoPhaseSettings {
    Duration tenMinutes = Duration.ofMinutes(10);
    check("lockTimeout", lockTimeout, Duration.ofMillis(1), tenMinutes);
    check("decideWithin", decideWithin, Duration.ofMillis(100), tenMinutes);
    check("recoverAfter", recoverAfter, Duration.ZERO, tenMinutes);
    check("recoveryInterval", recoveryInterval, Duration.ofMillis(10), tenMinutes);
    check("keepDecisions", keepDecisions, Duration.ZERO, Duration.ofDays(7));
    if (pendingAtMost < 1 || pendingAtMost > 1_000_000) {
      throw new InvalidConfiguration(
          "pendingAtMost is %,d, and must be 1 to 1,000,000. Nothing was started."
              .formatted(pendingAtMost));
    }
  }

  private static void check(String name, Duration value, Duration least, Duration most) {
    if (value.compareTo(least) < 0 || value.compareTo(most) > 0) {
      throw new InvalidConfiguration(
          "%s is %s, and must be %s to %s. Nothing was started."
              .formatted(name, value, least, most));
    }
  }

  public TwoPhaseSettings withLockTimeout(Duration value) {
    return new TwoPhaseSettings(
        value,
        decideWithin,
        recoverAfter,
        recoveryInterval,
        keepDecisions,
        asynchronousSecondPhase,
        pendingAtMost);
  }

  public TwoPhaseSettings withDecideWithin(Duration value) {
    return new TwoPhaseSettings(
        lockTimeout,
        value,
        recoverAfter,
        recoveryInterval,
        keepDecisions,
        asynchronousSecondPhase,
        pendingAtMost);
  }

  public TwoPhaseSettings withRecoverAfter(Duration value) {
    return new TwoPhaseSettings(
        lockTimeout,
        decideWithin,
        value,
        recoveryInterval,
        keepDecisions,
        asynchronousSecondPhase,
        pendingAtMost);
  }

  public TwoPhaseSettings withRecoveryInterval(Duration value) {
    return new TwoPhaseSettings(
        lockTimeout,
        decideWithin,
        recoverAfter,
        value,
        keepDecisions,
        asynchronousSecondPhase,
        pendingAtMost);
  }

  public TwoPhaseSettings withKeepDecisions(Duration value) {
    return new TwoPhaseSettings(
        lockTimeout,
        decideWithin,
        recoverAfter,
        recoveryInterval,
        value,
        asynchronousSecondPhase,
        pendingAtMost);
  }

  public TwoPhaseSettings withAsynchronousSecondPhase(boolean value) {
    return new TwoPhaseSettings(
        lockTimeout,
        decideWithin,
        recoverAfter,
        recoveryInterval,
        keepDecisions,
        value,
        pendingAtMost);
  }

  public TwoPhaseSettings withPendingAtMost(int value) {
    return new TwoPhaseSettings(
        lockTimeout,
        decideWithin,
        recoverAfter,
        recoveryInterval,
        keepDecisions,
        asynchronousSecondPhase,
        value);
  }

  /** How long a claim waits for whoever may object: longer than an operation may take to commit. */
  public Duration settle() {
    return decideWithin.multipliedBy(3).dividedBy(2);
  }
}
