package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Phase;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/** One life of the process under test, wherever it runs. */
interface Life {

  /** Tells it what its commit points belong to from now on. */
  void enter(Phase phase);

  /** Calls the operation, and returns when it has ended or the process has died. */
  Ended attempt(String key);

  /** Whether the application says that it has nothing left to do. */
  boolean isIdle();

  boolean isCrashed();

  /** Completed when it has crashed and nothing of it can have an effect any more. */
  CompletableFuture<Void> crashed();

  /** Waits until what it has handed to clients has taken effect. */
  void settle();

  /** Crashes it from outside. */
  void crash(String where);

  /** Clears away what a dead process has left, before the next life. */
  void bury();

  /** Ends it in order; a dead one is buried. */
  void stop();

  /** How a call of the code under test ended, as somebody outside the process can tell. */
  enum How {
    RETURNED,
    THREW,
    CRASHED,
    STILL_RUNNING
  }

  /**
   * The end of a call.
   *
   * @param how how
   * @param thrown what it threw, for people; empty when nothing
   * @param refused whether that tells the caller that nothing has happened
   * @param cause what it threw, where it was thrown in this JVM
   */
  record Ended(How how, String thrown, boolean refused, @Nullable Throwable cause) {
    static Ended of(How how) {
      return new Ended(how, "", false, null);
    }
  }

  /** Begins lives, one after the other. */
  interface Source {

    /**
     * Starts a process.
     *
     * @param again whether it is to recover from a crash
     */
    Born begin(boolean again);
  }

  /** A life, and how its start ended; with any but {@link How#RETURNED} there is nobody in it. */
  record Born(Life life, Ended start) {}
}
