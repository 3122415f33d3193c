package dev.holdfast.crashtest.twophase;

/** What databases and people do by themselves. */
final class EnvironmentSteps {
  private final Rules rules;

  EnvironmentSteps(Rules rules) {
    this.rules = rules;
  }

  void add(World world, Steps into) {
    for (int index = 0; index < world.ops().size(); index++) {
      deciding(world, index, into);
      for (int participant = 0; participant < world.cleaned().size(); participant++) {
        branch(world, index, participant, into);
      }
    }
    for (int index = 0; index < world.recoverers().size(); index++) {
      Recoverer recoverer = world.recoverers().get(index);
      if (recoverer.holds()) {
        into.fault(
            "deciding database: ends the session of a question",
            world.with(index, recoverer.lose()));
      }
    }
    restart(world, into);
    if (world.serialLost()) {
      into.progress(
          "deciding database: hands the lost serial out to somebody else", world.serialLost(false));
    }
  }

  private static void deciding(World world, int index, Steps into) {
    Op op = world.op(index);
    String who = "deciding database: ";
    if (op.isOpen() && op.sent()) {
      into.progress(
          who + "COMMIT of operation " + (index + 1) + " arrives", world.with(index, op.commit()));
    }
    if (op.isOpen()) {
      String label = who + "rolls the transaction of operation " + (index + 1) + " back";
      World to = world.with(index, op.rollBack());
      if (op.owner().isAlive()) {
        into.fault(label, to);
      } else {
        into.progress(label, to);
      }
    }
    if (op.held()) {
      into.progress(
          who + "ends the session of a question whose asker is dead",
          world.with(index, op.hold(false)));
    }
  }

  private static void branch(World world, int index, int participant, Steps into) {
    Op op = world.op(index);
    Branch branch = op.at(participant);
    String who = "participant " + participant + ": ";
    String what = " of operation " + (index + 1);
    switch (branch.state()) {
      case WORKING -> {
        World to = world.with(index, op.with(participant, branch.rollBack()));
        if (branch.sent()) {
          if (!world.isRefused(index, participant)) {
            into.progress(
                who + "PREPARE" + what + " arrives",
                world.with(index, op.with(participant, branch.prepare())));
          }
          into.progress(who + "PREPARE" + what + " never arrives", to);
        } else if (op.owner().isAlive()) {
          into.fault(who + "loses the open branch" + what + " in a restart", to);
        } else {
          into.progress(who + "rolls the open branch" + what + " back", to);
        }
      }
      case PREPARED -> {
        if (world.hands() > 0) {
          World after = world.afterHand();
          into.fault(
              who + "somebody commits the branch" + what + " by hand",
              after.with(index, op.with(participant, branch.commit().endByHand())));
          into.fault(
              who + "somebody rolls the branch" + what + " back by hand",
              after.with(index, op.with(participant, branch.rollBack().endByHand())));
        }
      }
      case COMMITTED -> {
        if (world.failovers() > 0) {
          into.fault(
              who + "fails over, and has lost the commit of the branch" + what,
              world.afterFailover().with(index, op.with(participant, branch.lose())));
        }
      }
      case NONE, ROLLED_BACK -> {}
    }
  }

  /**
   * All that is open is gone. Serials that were handed out and not flushed may be handed out again:
   * that can be so as long as nothing with a later one was, such as a cleaning.
   */
  private void restart(World world, Steps into) {
    World to = world;
    for (int i = 0; i < world.ops().size(); i++) {
      Op op = world.op(i).hold(false);
      to = to.with(i, op.isOpen() ? op.rollBack() : op);
    }
    for (int i = 0; i < world.recoverers().size(); i++) {
      to = to.with(i, to.recoverers().get(i).lose());
    }
    into.fault("deciding database: crashes and comes back", to);
    if (world.ops().size() == 2 && world.op(1).tx() == Op.Tx.NONE) {
      Op first = world.op(0);
      boolean isFlushed = first.isDecided() || first.tx() == Op.Tx.NONE;
      for (int cleaned : world.cleaned()) {
        isFlushed |= cleaned >= first.serial();
      }
      for (int refused : world.refused()) {
        isFlushed |= rules.whatIsOverIsFlushed() && refused >= first.serial();
      }
      for (Sweeper sweeper : world.sweepers()) {
        isFlushed |= rules.whatIsOverIsFlushed() && sweeper.relies(first.serial());
      }
      if (!isFlushed) {
        into.fault(
            "deciding database: crashes and comes back; serial 1 was never flushed",
            to.serialLost(true));
      }
    }
  }
}
