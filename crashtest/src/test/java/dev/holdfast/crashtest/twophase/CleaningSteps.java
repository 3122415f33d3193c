package dev.holdfast.crashtest.twophase;

import dev.holdfast.crashtest.twophase.Sweeper.At;
import java.util.List;
import java.util.function.Predicate;

/**
 * What cleaners do. Decisions are not kept for a while first ({@code keepDecisions} is 0): what is
 * kept longer is cleaned less.
 */
final class CleaningSteps {
  private final Rules rules;

  CleaningSteps(Rules rules) {
    this.rules = rules;
  }

  void add(World world, int index, Steps into) {
    Sweeper sweeper = world.sweepers().get(index);
    if (sweeper.at() == At.IDLE) {
      start(world, index, into);
      return;
    }
    int participant = sweeper.participant();
    String who = "cleaner: ";
    String where = " at participant " + participant;
    into.fault(who + "crashes", world.with(index, Sweeper.IDLE));
    boolean overFirst = rules.cleanerReadsOverFirst();
    switch (sweeper.at()) {
      case IDLE -> throw new IllegalStateException();
      case READ_OVER ->
          go(
              world,
              index,
              who + "every transaction below " + world.over() + " is over",
              sweeper.bound(overFirst ? At.REFUSE : At.READ_WITNESSES, world.over() - 1),
              into);
      case REFUSE -> {
        World to = world.with(index, sweeper.bound(At.READ_PREPARED, Sweeper.UNBOUNDED));
        into.progress(
            who + "has nothing prepared any more up to " + sweeper.bound() + where,
            rules.cleanerHasWhatIsOverRefused() ? to.refuse(participant, sweeper.bound()) : to);
      }
      case READ_PREPARED -> {
        int lowest = lowestPrepared(world, sweeper);
        go(
            world,
            index,
            who + "looks at what is prepared" + where,
            sweeper.bound(overFirst ? At.READ_WITNESSES : At.READ_OVER, lowest - 1),
            into);
      }
      case READ_WITNESSES ->
          go(
              world,
              index,
              who + "reads witnesses" + where,
              sweeper.witnesses(
                  At.READ_DECISIONS, bits(world, sweeper, op -> op.at(participant).witness())),
              into);
      case READ_DECISIONS ->
          go(
              world,
              index,
              who + "reads decisions for participant " + participant,
              sweeper.decisions(
                  At.CLEAN,
                  bits(
                      world,
                      sweeper,
                      op ->
                          op.isDecided() && op.row() && !op.at(participant).is(Branch.State.NONE))),
              into);
      case CLEAN -> clean(world, index, into);
      case FORGET ->
          into.progress(
              who + "forgets witnesses up to " + sweeper.bound() + where,
              forget(world.with(index, Sweeper.IDLE), participant, sweeper.bound()));
    }
  }

  /** Goes on only with something to clean, as the code does. */
  private static void go(World world, int index, String label, Sweeper next, Steps into) {
    boolean isNothing =
        next.bound() <= next.from()
            || (next.at() == At.CLEAN && next.witnesses() == 0 && next.decisions() == 0);
    into.progress(
        label,
        world.with(index, isNothing ? Sweeper.forget(next.participant(), next.from()) : next));
  }

  private void start(World world, int index, Steps into) {
    for (int participant = 0; participant < world.cleaned().size(); participant++) {
      int from = world.cleaned().get(participant);
      boolean isWorthIt = false;
      for (Op op : world.ops()) {
        Branch branch = op.at(participant);
        isWorthIt |= op.serial() > from && !branch.is(Branch.State.NONE);
        isWorthIt |= branch.witness();
      }
      if (isWorthIt) {
        At first = rules.cleanerReadsOverFirst() ? At.READ_OVER : At.READ_PREPARED;
        into.progress(
            "cleaner: begins at participant " + participant + ", which is cleaned up to " + from,
            world.with(index, new Sweeper(first, participant, from, Sweeper.UNBOUNDED, 0, 0)));
      }
    }
  }

  /** Of what is prepared and was forgotten nothing is known that could be forgotten. */
  private int lowestPrepared(World world, Sweeper sweeper) {
    int lowest = Integer.MAX_VALUE;
    if (rules.cleanerLooksAtWhatIsPrepared()) {
      for (Op op : world.ops()) {
        if (op.at(sweeper.participant()).is(Branch.State.PREPARED)
            && op.serial() > sweeper.from()) {
          lowest = Math.min(lowest, op.serial());
        }
      }
    }
    return lowest;
  }

  private static int bits(World world, Sweeper sweeper, Predicate<Op> is) {
    int bits = 0;
    for (int i = 0; i < world.ops().size(); i++) {
      Op op = world.op(i);
      if (op.serial() > sweeper.from() && op.serial() <= sweeper.bound() && is.test(op)) {
        bits |= 1 << i;
      }
    }
    return bits;
  }

  /** One transaction: compare and set, record what was found, delete what no participant needs. */
  private void clean(World world, int index, Steps into) {
    Sweeper sweeper = world.sweepers().get(index);
    int participant = sweeper.participant();
    boolean isAsItWas = world.cleaned().get(participant) == sweeper.from();
    if (rules.cleanerComparesAndSets() && !isAsItWas) {
      into.progress(
          "cleaner: sees that another has cleaned, and does not",
          world.with(index, Sweeper.forget(participant, sweeper.from())));
      return;
    }
    int upTo = sweeper.bound();
    World to = world.with(index, Sweeper.forget(participant, upTo)).clean(participant, upTo);
    for (int i = 0; i < world.ops().size(); i++) {
      boolean isDecided = (sweeper.decisions() & 1 << i) != 0;
      boolean isWitnessed = (sweeper.witnesses() & 1 << i) != 0;
      Op op = to.op(i);
      var found = rules.compare(isDecided, isWitnessed);
      if (found.isPresent()) {
        op = op.with(participant, op.at(participant).record(found.get()));
      }
      if (op.isDecided() && op.serial() <= upTo && isUnneeded(op, participant, to.cleaned())) {
        op = op.delete();
      }
      to = to.with(i, op);
    }
    into.progress("cleaner: cleans up to " + upTo + " for participant " + participant, to);
  }

  private static boolean isUnneeded(Op op, int participant, List<Integer> cleaned) {
    if (op.at(participant).is(Branch.State.NONE)) {
      return false;
    }
    for (int i = 0; i < cleaned.size(); i++) {
      if (!op.at(i).is(Branch.State.NONE) && cleaned.get(i) < op.serial()) {
        return false;
      }
    }
    return true;
  }

  private static World forget(World world, int participant, int upTo) {
    World to = world;
    for (int i = 0; i < world.ops().size(); i++) {
      Op op = world.op(i);
      if (op.serial() <= upTo && op.at(participant).witness()) {
        to = to.with(i, op.with(participant, op.at(participant).forget()));
      }
    }
    return to;
  }
}
