package dev.holdfast.crashtest.twophase;

import dev.holdfast.internal.twophase.OwnerProtocol;
import dev.holdfast.internal.twophase.RecoveryProtocol;
import dev.holdfast.twophase.store.DecisionStore.Probe;
import dev.holdfast.twophase.store.Heuristic;
import java.util.Optional;

/** What the code does, where a mutant may do otherwise. */
class Rules {
  static final Rules STANDARD = new Rules();

  OwnerProtocol table() {
    return OwnerProtocol.STANDARD;
  }

  /** Of a database whose claim is settled; see {@link ClaimModel} for the others. */
  RecoveryProtocol.Verdict judge(Probe probe) {
    return RecoveryProtocol.judge(probe, true);
  }

  Optional<Heuristic.Kind> afterCommit(boolean witnessed, boolean forgotten) {
    return RecoveryProtocol.afterCommit(witnessed, forgotten);
  }

  Optional<Heuristic.Kind> afterRollback(boolean witnessed) {
    return RecoveryProtocol.afterRollback(witnessed);
  }

  Optional<Heuristic.Kind> compare(boolean decided, boolean witnessed) {
    return RecoveryProtocol.compare(decided, witnessed, false);
  }

  /** Else by a plain SELECT. */
  boolean asksByInserting() {
    return true;
  }

  /** Up to where it is cleaned, and the question itself. */
  boolean readsCleanedAfterAsking() {
    return true;
  }

  /** Else the serial alone names an attempt. */
  boolean namesByNonce() {
    return true;
  }

  boolean cleanerLooksAtWhatIsPrepared() {
    return true;
  }

  /** Which transactions are over, and then what is prepared. */
  boolean cleanerReadsOverFirst() {
    return true;
  }

  /** So that a crash cannot have a serial handed out again that was said to be over. */
  boolean whatIsOverIsFlushed() {
    return true;
  }

  /** So that whoever stood still until its transaction was over prepares nothing any more. */
  boolean cleanerHasWhatIsOverRefused() {
    return true;
  }

  boolean cleanerComparesAndSets() {
    return true;
  }
}
