package dev.holdfast.internal.twophase;

import dev.holdfast.twophase.store.DecisionStore.Probe;
import dev.holdfast.twophase.store.Finish;
import dev.holdfast.twophase.store.Heuristic;
import java.util.Optional;

/** What whoever finds a branch does about it. Pure: the model checker explores the same methods. */
public final class RecoveryProtocol {

  /** What becomes of a prepared branch. */
  public enum Verdict {
    /** Its owner is at it, or may come to it, or nobody here may abort: it is looked at again. */
    LEAVE,
    COMMIT,
    ROLL_BACK,
    /** Nobody can know any more: it is recorded, and left to a person. */
    REPORT
  }

  private RecoveryProtocol() {}

  /**
   * @param probe what became of the deciding transaction
   * @param mayAbort whether this database's claim of the participant is settled
   */
  public static Verdict judge(Probe probe, boolean mayAbort) {
    return switch (probe) {
      case OPEN -> Verdict.LEAVE;
      case COMMITTED -> Verdict.COMMIT;
      case ROLLED_BACK -> mayAbort ? Verdict.ROLL_BACK : Verdict.LEAVE;
      case FORGOTTEN -> Verdict.REPORT;
    };
  }

  /**
   * Whether what the participant answered to the order to commit needs the witness to be
   * understood.
   */
  public static boolean needsWitness(Finish answer) {
    return answer == Finish.NOT_PREPARED;
  }

  /**
   * What it means when a branch that was decided to commit is not prepared any more.
   *
   * @param witnessed whether its witness is there
   * @param forgotten whether its decision may have been forgotten, looked up after the witness:
   *     then it was compared before, and the witness may be forgotten as well
   * @return empty when it was committed before, by one of us
   */
  public static Optional<Heuristic.Kind> afterCommit(boolean witnessed, boolean forgotten) {
    return witnessed || forgotten ? Optional.empty() : Optional.of(Heuristic.Kind.ROLLED_BACK);
  }

  /**
   * What it means when a branch that was never decided is not prepared any more.
   *
   * @return empty when it was rolled back before, by one of us
   */
  public static Optional<Heuristic.Kind> afterRollback(boolean witnessed) {
    return witnessed ? Optional.of(Heuristic.Kind.COMMITTED) : Optional.empty();
  }

  /**
   * What is found when decisions and witnesses are laid side by side, of an attempt whose deciding
   * transaction is over and that is not prepared any more.
   *
   * @param forgotten whether its witness may have been deleted: then it was compared before, by a
   *     deciding database that has lost that in a failover or a restore
   */
  public static Optional<Heuristic.Kind> compare(
      boolean decided, boolean witnessed, boolean forgotten) {
    if (decided == witnessed || (decided && forgotten)) {
      return Optional.empty();
    }
    return Optional.of(decided ? Heuristic.Kind.ROLLED_BACK : Heuristic.Kind.COMMITTED);
  }
}
