package dev.holdfast.crashtest.twophase;

import dev.holdfast.crashtest.model.Model;
import dev.holdfast.crashtest.model.Property;
import dev.holdfast.crashtest.model.Step;
import dev.holdfast.internal.twophase.OwnerProtocol.Transition;
import dev.holdfast.twophase.store.Heuristic;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;

/**
 * Two-phase commit with everything around it. Owners, recoverers and cleaners do what the code
 * does, by its own tables and methods; the databases and the network do what they may.
 *
 * <p>What is assumed of the databases: a commit that is seen is flushed; who inserts a row that an
 * open transaction has inserted waits; a prepared branch outlives everything but a failover; a
 * serial whose transaction is said to be over is not handed out again; a branch that is prepared is
 * seen by whoever looks behind it, and by nobody's older snapshot.
 */
final class TwoPhaseModel implements Model<World> {

  /**
   * How large the world is.
   *
   * @param work for each operation, the participants it writes at
   * @param failovers how many commits of branches participants may lose
   * @param hands how many branches somebody may end by hand
   */
  record Scope(
      int participants,
      List<List<Integer>> work,
      int recoverers,
      int cleaners,
      int failovers,
      int hands) {}

  private final Scope scope;
  private final OwnerSteps owners;
  private final RecoverySteps recovery;
  private final CleaningSteps cleaning;
  private final EnvironmentSteps environment;

  TwoPhaseModel(Scope scope, Rules rules) {
    this.scope = scope;
    List<List<Branch>> work = new ArrayList<>();
    for (List<Integer> used : scope.work()) {
      List<Branch> branches = new ArrayList<>();
      for (int i = 0; i < scope.participants(); i++) {
        branches.add(used.contains(i) ? Branch.WORKING : Branch.NONE);
      }
      work.add(List.copyOf(branches));
    }
    this.owners = new OwnerSteps(rules, work);
    this.recovery = new RecoverySteps(rules);
    this.cleaning = new CleaningSteps(rules);
    this.environment = new EnvironmentSteps(rules);
  }

  /** The rows of the owner's table that have been gone through. */
  Set<Transition> visited() {
    return owners.visited();
  }

  /** The same, from another state on. */
  Model<World> from(World world) {
    return new Model<>() {
      @Override
      public List<World> initial() {
        return List.of(world);
      }

      @Override
      public List<Step<World>> steps(World from) {
        return TwoPhaseModel.this.steps(from);
      }

      @Override
      public List<Property<World>> properties() {
        return TwoPhaseModel.this.properties();
      }
    };
  }

  @Override
  public List<World> initial() {
    return List.of(start());
  }

  World start() {
    return new World(
        Collections.nCopies(scope.work().size(), Op.notBegun(scope.participants())),
        Collections.nCopies(scope.recoverers(), Recoverer.IDLE),
        Collections.nCopies(scope.cleaners(), Sweeper.IDLE),
        Collections.nCopies(scope.participants(), 0),
        Collections.nCopies(scope.participants(), 0),
        false,
        scope.failovers(),
        scope.hands());
  }

  @Override
  public List<Step<World>> steps(World from) {
    Steps steps = new Steps();
    for (int i = 0; i < from.ops().size(); i++) {
      owners.add(from, i, steps);
    }
    for (int i = 0; i < from.recoverers().size(); i++) {
      recovery.add(from, i, steps);
    }
    for (int i = 0; i < from.sweepers().size(); i++) {
      cleaning.add(from, i, steps);
    }
    environment.add(from, steps);
    return steps.list();
  }

  @Override
  public List<Property<World>> properties() {
    List<Property<World>> properties = new ArrayList<>();
    properties.add(Property.always("agreement", TwoPhaseModel::agrees));
    properties.add(
        Property.always(
            "no abort of a live owner", world -> world.ops().stream().noneMatch(Op::abortedAlive)));
    properties.add(
        Property.always(
            "nothing decided is cleaned before every participant has committed",
            TwoPhaseModel::isCleanedLate));
    properties.add(Property.always("no false heuristic outcome", TwoPhaseModel::isRecordedRightly));
    properties.add(Property.always("callers are told what is true", TwoPhaseModel::isToldRightly));
    if (scope.recoverers() > 0) {
      properties.add(Property.staysReachable("no orphan", TwoPhaseModel::isResolved));
    }
    if (scope.recoverers() > 0 && scope.cleaners() > 0) {
      properties.add(
          Property.staysReachable("what agrees is forgotten", TwoPhaseModel::isForgotten));
      properties.add(
          Property.staysReachable(
              "what was done by hand against the decision is reported", TwoPhaseModel::isReported));
    }
    return properties;
  }

  /** Who committed was allowed to, and who rolled back as well. */
  private static boolean agrees(World world) {
    for (Op op : world.ops()) {
      for (Branch branch : op.branches()) {
        boolean isCommitted = branch.is(Branch.State.COMMITTED);
        boolean isRolledBack = branch.is(Branch.State.ROLLED_BACK);
        if (!branch.byHand() && (op.isDecided() ? isRolledBack : isCommitted)) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean isCleanedLate(World world) {
    for (Op op : world.ops()) {
      for (int i = 0; i < op.branches().size() && op.isDecided(); i++) {
        Branch branch = op.at(i);
        boolean isForgotten = !op.row() || world.cleaned().get(i) >= op.serial();
        boolean isDone = branch.is(Branch.State.NONE) || branch.wasCommitted() || branch.byHand();
        if (isForgotten && !isDone) {
          return false;
        }
      }
    }
    return true;
  }

  /** Nothing is, unless somebody intervenes or a failover loses something. */
  private static boolean isRecordedRightly(World world) {
    for (Op op : world.ops()) {
      for (Branch branch : op.branches()) {
        Heuristic.Kind kind = branch.recorded();
        if (kind != null && !branch.byHand() && !branch.lost()) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean isToldRightly(World world) {
    for (Op op : world.ops()) {
      boolean isTrue =
          switch (op.owner().told()) {
            case NOTHING, UNKNOWN -> true;
            case COMMITTED -> op.isDecided();
            case NOT_COMMITTED -> !op.isDecided();
            case HEURISTIC ->
                op.isDecided()
                    && op.branches().stream().anyMatch(branch -> branch.recorded() != null);
          };
      if (!isTrue) {
        return false;
      }
    }
    return true;
  }

  /** Nobody is at it any more, and nothing waits but for a person who was told. */
  private static boolean isResolved(World world) {
    for (Op op : world.ops()) {
      if (op.owner().isAlive() || op.isOpen()) {
        return false;
      }
      for (Branch branch : op.branches()) {
        boolean isOver =
            switch (branch.state()) {
              case NONE, COMMITTED -> true;
              case ROLLED_BACK -> !op.isDecided();
              case WORKING, PREPARED -> false;
            };
        if (!isOver && branch.recorded() == null) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean isForgotten(World world) {
    for (Op op : world.ops()) {
      for (Branch branch : op.branches()) {
        if (branch.recorded() == null && (op.row() || branch.witness())) {
          return false;
        }
      }
    }
    return true;
  }

  private static boolean isReported(World world) {
    for (Op op : world.ops()) {
      for (Branch branch : op.branches()) {
        boolean isAgainst =
            branch.byHand()
                && !op.isOpen()
                && branch.is(op.isDecided() ? Branch.State.ROLLED_BACK : Branch.State.COMMITTED);
        if (isAgainst && branch.recorded() == null) {
          return false;
        }
      }
    }
    return true;
  }
}
