package dev.holdfast.internal.twophase;

import dev.holdfast.Isolation;
import dev.holdfast.Message;
import dev.holdfast.internal.transaction.BufferedTransaction;
import dev.holdfast.internal.transaction.Touch;
import dev.holdfast.internal.twophase.OwnerProtocol.Action;
import dev.holdfast.internal.twophase.OwnerProtocol.Event;
import dev.holdfast.internal.twophase.OwnerProtocol.State;
import dev.holdfast.outbox.store.Attempt;
import dev.holdfast.twophase.AtomicTransaction;
import dev.holdfast.twophase.Branch;
import dev.holdfast.twophase.HeuristicOutcome;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Decision;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.StaleClaim;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ThreadLocalRandom;
import org.jspecify.annotations.Nullable;

/**
 * One attempt at an operation: the work, and then what {@link OwnerProtocol} says, step by step. Of
 * one thread.
 *
 * <p>A crash anywhere leaves the deciding transaction to its database, which rolls it back unless
 * its commit arrived, and prepared branches to recovery, which asks what became of that.
 */
final class AtomicAttempt implements AutoCloseable {
  private final Coordinator coordinator;
  private final DecisionStore decisions;
  private final TwoPhaseSettings settings;
  private final Connection deciding;
  private final String operationId;
  private final Isolation isolation;
  private final long nonce = ThreadLocalRandom.current().nextLong();
  private final BufferedTransaction tx;
  private final Map<Participant, OpenBranch> branches = new LinkedHashMap<>();
  private long serial;
  private int prepared;
  private @Nullable Exception failure;

  AtomicAttempt(
      Coordinator coordinator,
      Connection deciding,
      String operationId,
      Isolation isolation,
      List<Participant> participants) {
    this.coordinator = coordinator;
    this.decisions = coordinator.decisions();
    this.settings = coordinator.settings();
    this.deciding = deciding;
    this.operationId = operationId;
    this.isolation = isolation;
    this.tx = new BufferedTransaction(deciding, operationId, coordinator.listener());
    for (Participant participant : participants) {
      branches.put(
          participant,
          new OpenBranch(
              participant,
              operationId,
              isolation,
              settings.lockTimeout(),
              () -> named(participant)));
    }
  }

  /** What the callback sees. */
  AtomicTransaction transaction() {
    return new View(tx, this::branch);
  }

  private Branch branch(Participant participant) {
    OpenBranch branch = branches.get(participant);
    if (branch == null) {
      throw new IllegalArgumentException(
          "Participant "
              + participant
              + " was not given to this operation, so nothing was begun there. Add it by with().");
    }
    return branch;
  }

  /**
   * What the commit of a claim's copy relies on counts from the begin where statements read an old
   * snapshot; so the deciding transaction has to have begun by then.
   */
  void begun() throws SQLException {
    if (isolation != Isolation.READ_COMMITTED) {
      serial = decisions.serial(deciding);
    }
  }

  private Gid named(Participant participant) throws SQLException {
    if (serial == 0) {
      serial = decisions.serial(deciding);
    }
    return gid(participant);
  }

  private Gid gid(Participant participant) {
    return new Gid(coordinator.storeId(), serial, nonce, participant.name());
  }

  /** The callback has returned or thrown: nothing can be added any more. */
  List<Message> end() {
    branches.values().forEach(OpenBranch::end);
    return tx.end();
  }

  /**
   * What has to be prepared. The others that were used have only read; they are committed before
   * anything is decided, since a serializable one may learn only then that it must not have.
   */
  List<OpenBranch> writers(Attempt attempt) throws SQLException {
    List<OpenBranch> writers = new ArrayList<>();
    for (OpenBranch branch : branches.values()) {
      if (!branch.isUsed()) {
        continue;
      }
      if (branch.hasWritten()) {
        writers.add(branch);
      } else {
        commitAlone(branch, attempt);
      }
    }
    return writers;
  }

  void commitAlone(OpenBranch branch, Attempt attempt) throws SQLException {
    try {
      branch.store().commitAlone(branch.raw(), branch.gid(), attempt, operationId);
    } catch (SQLException e) {
      throw new BranchFailure(branch.participant(), "commit", e);
    }
    branch.ended();
    branch.close();
  }

  /** Whether the deciding database has been changed, or will be by messages. */
  boolean hasDeciderWritten(List<Message> messages) throws SQLException {
    if (!messages.isEmpty() || tx.touch() == Touch.ANYTHING) {
      return true;
    }
    return tx.touch() == Touch.QUERIES && decisions.hasWritten(deciding);
  }

  /**
   * Runs the protocol from the end of the work on, as far as it leads without the deciding commit.
   *
   * @return COMMITTING when that is what comes next; else the state it ended in
   */
  State prepareAll(OwnerProtocol protocol, List<Message> messages, List<OpenBranch> writers) {
    return go(protocol, State.WORKING, Event.WORKED, messages, writers);
  }

  /** Runs the protocol on, once it is known what became of the deciding commit. */
  State conclude(OwnerProtocol protocol, Event event, List<OpenBranch> writers) {
    return go(protocol, State.COMMITTING, event, List.of(), writers);
  }

  private State go(
      OwnerProtocol protocol,
      State from,
      Event first,
      List<Message> messages,
      List<OpenBranch> writers) {
    State state = from;
    Event event = first;
    while (true) {
      OwnerProtocol.Transition next = protocol.after(state, event);
      state = next.to();
      if (next.action() == Action.COMMIT_DECISION) {
        return state;
      }
      try {
        event =
            switch (next.action()) {
              case WRITE_DECISION -> decide(messages, writers);
              case PREPARE_NEXT -> prepare(writers);
              case COMMIT_BRANCHES -> finish(writers);
              case ROLL_BACK -> undo(writers);
              case RETURN, THROW, THROW_UNKNOWN -> leave(writers);
              case COMMIT_DECISION -> throw new IllegalStateException("It is done by the caller.");
            };
      } catch (HeuristicOutcome e) {
        // The operation is decided all the same.
        failure = e;
        event = Event.FINISHED;
      } catch (SQLException | RuntimeException e) {
        failure = e;
        event = Event.FAILED;
      }
      if (isEnd(next.action())) {
        return state;
      }
    }
  }

  /** Why the deciding transaction was not committed, or is not known to be. */
  void failed(Exception reason) {
    failure = reason;
  }

  private static boolean isEnd(Action action) {
    return switch (action) {
      case RETURN, THROW, THROW_UNKNOWN -> true;
      case WRITE_DECISION, PREPARE_NEXT, COMMIT_DECISION, COMMIT_BRANCHES, ROLL_BACK -> false;
    };
  }

  private Event decide(List<Message> messages, List<OpenBranch> writers) throws SQLException {
    List<String> names = writers.stream().map(branch -> branch.participant().name()).toList();
    serial =
        decisions.decide(
            deciding,
            new Decision(
                nonce,
                names,
                operationId,
                settings.decideWithin(),
                isolation != Isolation.READ_COMMITTED),
            messages);
    for (OpenBranch branch : writers) {
      name(branch);
    }
    return Event.WRITTEN;
  }

  private void name(OpenBranch branch) throws SQLException {
    Gid gid = named(branch.participant());
    branch.named(gid);
    coordinator.live().add(gid);
  }

  private Event prepare(List<OpenBranch> writers) throws SQLException {
    OpenBranch branch = writers.get(prepared);
    Participant participant = branch.participant();
    if (branch.gid() == null) {
      name(branch);
    }
    // Counted first: when the reply is lost it may be prepared.
    prepared++;
    try {
      branch.prepare(coordinator.claims().token(participant));
    } catch (StaleClaim e) {
      coordinator.claims().forget(participant);
      throw e;
    } catch (SQLException e) {
      throw new BranchFailure(participant, "prepare", e);
    }
    return prepared == writers.size() ? Event.ALL_PREPARED : Event.PREPARED;
  }

  private Event finish(List<OpenBranch> writers) {
    HeuristicOutcome found = null;
    for (OpenBranch branch : writers) {
      try {
        coordinator.secondPhase().commit(branch, operationId);
      } catch (HeuristicOutcome e) {
        found = e;
      } catch (RuntimeException e) {
        // It is decided, and recovery does the rest.
        coordinator.secondPhase().leave(branch.participant(), "committed", e);
      }
    }
    if (found != null) {
      throw found;
    }
    return Event.FINISHED;
  }

  /** As well as it can be done from here; what stays prepared is found by recovery. */
  private Event undo(List<OpenBranch> writers) {
    for (int i = 0; i < writers.size(); i++) {
      OpenBranch branch = writers.get(i);
      if (i >= prepared) {
        branch.undo();
      } else {
        try {
          coordinator.secondPhase().rollback(branch);
        } catch (RuntimeException e) {
          coordinator.secondPhase().leave(branch.participant(), "rolled back", e);
        }
      }
    }
    return Event.FINISHED;
  }

  private Event leave(List<OpenBranch> writers) {
    for (OpenBranch branch : writers) {
      Gid gid = branch.gid();
      if (gid != null && !coordinator.secondPhase().isWaiting(gid)) {
        coordinator.live().remove(gid);
      }
    }
    return Event.FINISHED;
  }

  @Nullable Exception failure() {
    return failure;
  }

  String operationId() {
    return operationId;
  }

  /** Gives the branches' connections back; what is open on them is rolled back. */
  @Override
  public void close() {
    for (OpenBranch branch : branches.values()) {
      if (branch.isUsed()) {
        branch.undo();
        branch.close();
      }
    }
  }
}
