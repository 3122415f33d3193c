package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static dev.holdfast.boundary.Capability.PREPARE;
import static dev.holdfast.guarantee.Sheet.acknowledgment;
import static dev.holdfast.guarantee.Sheet.assumptions;
import static dev.holdfast.guarantee.Sheet.both;
import static dev.holdfast.guarantee.Sheet.has;
import static dev.holdfast.guarantee.Sheet.requireTransactions;

import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Boundary;
import java.util.List;
import java.util.Set;

/** An operation in a database that decides, and in another that prepares. */
final class TwoPhaseGuarantee {
  /** What is left in doubt is ended by whoever looks after it. */
  private static final Assumption RECOVERY =
      new Assumption(
          "holdfast.recovery-runs",
          null,
          "A process that was given the participant runs somewhere.",
          Set.of());

  private TwoPhaseGuarantee() {}

  static Guarantee of(Boundary decider, Boundary other) {
    requireTransactions(decider);
    if (!has(other, PREPARE)) {
      throw new IllegalArgumentException(
          "%s cannot prepare, so it cannot follow what another decides.".formatted(other.kind()));
    }
    List<Assumption> decided = assumptions(decider, LOCAL_TRANSACTION);
    List<Assumption> kept =
        both(decided, both(assumptions(other, LOCAL_TRANSACTION), assumptions(other, PREPARE)));
    // A plain commit is worth what the session makes of it.
    List<Assumption> told = both(kept, both(acknowledgment(decider), acknowledgment(other)));
    List<Assumption> recovered = both(kept, List.of(RECOVERY));
    Sheet sheet = new Sheet(decider);
    committed(sheet, kept, decided, told);
    sheet.at(other);
    between(sheet, recovered);
    recovered(sheet, decided, kept, recovered);
    return new Guarantee(
        "two-phase commit of " + decider.kind() + " with " + other.kind(),
        decider.kind().equals(other.kind()) ? List.of(decider) : List.of(decider, other),
        Resolution.TWO_PHASE_COMMIT,
        "one local transaction over both databases",
        List.of(
            "Isolation across the databases: each has its level, and a reader of both may see the decision in the one and not yet the change in the other.",
            "Availability: while one database is away no operation on both can commit, and what is prepared in the other keeps its locks."),
        sheet.clauses(),
        risks(decider, other));
  }

  private static void committed(
      Sheet sheet, List<Assumption> kept, List<Assumption> decided, List<Assumption> told) {
    sheet.promise(
        "twophase.atomicity",
        Aspect.ATOMICITY,
        "An operation's changes are committed in every database or in none, whatever process crashes and whichever answer is lost: what decides is a row in the first database's commit, which is written before any other prepares.",
        kept);
    sheet.promise(
        "twophase.messages",
        Aspect.ATOMICITY,
        "Messages that are published in the operation are recorded with the decision, or not at all.",
        decided);
    sheet.promise(
        "twophase.plain",
        Aspect.ATOMICITY,
        "Where one database alone was changed there is one plain commit, and nothing to be left in doubt.",
        List.of());
    sheet.promise(
        "twophase.answer",
        Aspect.ANSWER,
        "When the call returns the operation is decided, and when it throws it is committed nowhere and never will be, but for two exceptions: OutcomeUnknown, whose resolve() finds out for as long as decisions are kept, and HeuristicOutcome, by which it is decided and not carried out everywhere.",
        told);
    sheet.promise(
        "twophase.durability",
        Aspect.DURABILITY,
        "What is decided with others survives a crash of every process and of every server: before the reply the others have flushed what they prepared, and the first its decision, whatever its sessions are set to. Of two databases that takes two forced writes, and a third one ends the branch.",
        kept);
  }

  private static void between(Sheet sheet, List<Assumption> recovered) {
    sheet.promise(
        "twophase.visibility",
        Aspect.VISIBILITY,
        "Nobody sees a change in the other database before the operation is decided. With a second phase in the call, every reader sees it when the call returns, unless the other database could not be reached; with one behind the call, some time later.",
        recovered);
    sheet.promise(
        "twophase.locks",
        Aspect.VISIBILITY,
        "What was changed stays locked from the change until the branch is ended, and is overwritten by nobody in between. Nobody waits for it for longer than the lock timeout, so that a deadlock across the databases ends.",
        recovered);
  }

  private static void recovered(
      Sheet sheet, List<Assumption> decided, List<Assumption> kept, List<Assumption> recovered) {
    sheet.promise(
        "twophase.recovery.anybody",
        Aspect.RECOVERY,
        "What an interrupted operation has left prepared is ended by any process that has the participant, as it was decided, at its next look. It needs nothing of the process that died: no log, no name, no clock.",
        recovered);
    sheet.promise(
        "twophase.recovery.bounded",
        Aspect.RECOVERY,
        "A process or host that dies, or stops, before it has decided keeps its branch prepared for no longer than it may take to decide, and until the next look of another.",
        recovered);
    sheet.promise(
        "twophase.recovery.live-owner",
        Aspect.RECOVERY,
        "No branch is rolled back whose operation may still be decided, however long its owner is paused: the question waits for the owner's transaction.",
        kept);
    sheet.promise(
        "twophase.recovery.side-by-side",
        Aspect.RECOVERY,
        "Any number of processes may run, recover and forget what is done at the same time, and each may be paused anywhere.",
        kept);
    sheet.promise(
        "twophase.recovery.copies",
        Aspect.RECOVERY,
        "A copy of the deciding database aborts nothing that the original may still decide: the participant obeys one of them, and the original objects as long as it runs. A dump that was restored is refused until a person decides.",
        decided);
    sheet.promise(
        "twophase.recovery.failover",
        Aspect.RECOVERY,
        "Where a failover of the other database brings a branch back that was committed, it is committed again for as long as its decision is kept; after that it is reported, stays prepared, and is never rolled back for want of a decision.",
        recovered);
    sheet.promise(
        "twophase.heuristics",
        Aspect.RECOVERY,
        "A branch that was ended otherwise than it was decided, by hand or by a failover that lost a part of it, is recorded and reported until a person takes note of it, and never repaired by a guess.",
        recovered);
  }

  private static List<String> risks(Boundary decider, Boundary other) {
    return List.of(
        "A failover of %s that loses a prepared branch, or of %s that loses a decision, leaves the operation in one of the two. It is found when decisions and witnesses are compared, and reported; a person has to repair it."
            .formatted(other.kind(), decider.kind()),
        "What is prepared stays so while the deciding database is away, with its locks, for however long that is.",
        "Effects outside of the databases are not part of it; the work may run several times.",
        "Operations that are in doubt take places of what the server can prepare at once; when none is left, others are undone and say so.");
  }
}
