package dev.holdfast.internal.twophase;

import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.internal.twophase.ClaimProtocol.Verdict;
import dev.holdfast.twophase.InDoubt;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhase;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Probe;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.Heuristic;
import dev.holdfast.twophase.store.PreparedBranch;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Looks after what operations leave behind, in every process that has participants: one thread for
 * each participant, so that one that hangs delays no other.
 */
public final class Recovery implements TwoPhase, AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Recovery.class);
  private static final Duration TO_END = Duration.ofSeconds(10);

  private final Coordinator coordinator;
  private final DecisionStore decisions;
  private final Map<String, Participant> participants = new ConcurrentHashMap<>();
  private final Set<String> ready = ConcurrentHashMap.newKeySet();
  private final Map<String, Watch> watches = new ConcurrentHashMap<>();
  private volatile boolean runsByItself;

  Recovery(Coordinator coordinator, List<Participant> participants) {
    this.coordinator = coordinator;
    this.decisions = coordinator.decisions();
    for (Participant participant : participants) {
      if (participant.isDecider()) {
        throw new InvalidConfiguration(
            "The database that decides was given as a participant as well. Nothing was started. Leave it out.");
      }
      if (this.participants.put(participant.name(), participant) != null) {
        throw new InvalidConfiguration(
            "Participant " + participant + " is configured twice. Nothing was started.");
      }
    }
  }

  void start() {
    runsByItself = true;
    for (Participant participant : participants.values()) {
      watch(participant);
    }
  }

  private void watch(Participant participant) {
    Watch watch = new Watch(participant);
    if (watches.putIfAbsent(participant.name(), watch) == null) {
      watch.start();
    }
  }

  /** Lets recovery look soon. */
  void wake() {
    watches.values().forEach(watch -> watch.doorbell.ring());
  }

  /**
   * Participants that an operation names; those that were not known before are looked after from
   * now on.
   */
  List<Participant> require(List<Participant> named) {
    for (Participant participant : named) {
      if (participant.isDecider()) {
        throw new InvalidConfiguration(
            "The database that decides takes part anyway, and was named as another. Nothing was begun.");
      }
      Participant known = participants.putIfAbsent(participant.name(), participant);
      if (known != null && !known.equals(participant)) {
        throw new InvalidConfiguration(
            "There are two participants named "
                + participant
                + " in this process. Nothing was begun. Make a Participant once, and keep it.");
      }
      prepare(participant);
      if (runsByItself) {
        watch(participant);
      }
    }
    if (named.stream().distinct().count() != named.size()) {
      throw new InvalidConfiguration(
          "A participant was named twice for one operation. Nothing was begun.");
    }
    return named;
  }

  /**
   * Once for each participant: that it can take part, is the database it was, and obeys this one.
   *
   * @throws InvalidConfiguration when it cannot take part
   * @throws StoreUnavailable when it cannot be reached; it is tried again at its next use
   */
  public void prepare(Participant participant) {
    if (ready.contains(participant.name())) {
      return;
    }
    decisions.verify();
    participant.branches().schema().verify();
    participant.branches().verify();
    String other = coordinator.claims().otherDatabase(participant);
    if (other != null) {
      throw new InvalidConfiguration(
          "Participant %s is not the database that it was: %s. Nothing was begun: what was decided may wait in the other one. Use that one, or, when this one has taken its place, type: holdfast recover --claim %s."
              .formatted(participant, other, participant));
    }
    if (coordinator.claims().check(participant) == Verdict.REFUSED) {
      log.error("{}", Claims.lost(participant).getMessage());
    }
    coordinator.secondPhase().open(participant);
    ready.add(participant.name());
  }

  @Override
  public Recovered recover() {
    Recovered all = new Recovered(0, 0, 0, 0);
    HoldfastException failed = null;
    for (Participant participant : sorted()) {
      try {
        prepare(participant);
        all =
            all.plus(
                new RecoveryRound(coordinator, participant, Duration.ZERO, Duration.ZERO).run());
      } catch (HoldfastException e) {
        if (failed == null) {
          failed = e;
        } else {
          failed.addSuppressed(e);
        }
      }
    }
    if (failed != null) {
      throw failed;
    }
    return all;
  }

  @Override
  public void clean() {
    for (Participant participant : sorted()) {
      new Cleaner(coordinator, participant).run();
    }
  }

  @Override
  public List<InDoubt> inDoubt() {
    List<InDoubt> result = new ArrayList<>();
    for (Participant participant : sorted()) {
      List<PreparedBranch> prepared =
          participant.branches().prepared(coordinator.storeId(), participant.name(), true);
      Verdict claim = coordinator.claims().look(participant);
      for (PreparedBranch branch : prepared) {
        decisions.probe(
            List.of(branch.gid()),
            RecoveryRound.PATIENCE,
            answers ->
                result.add(
                    inDoubt(
                        participant,
                        branch,
                        answers.getOrDefault(branch.gid(), Probe.OPEN),
                        claim)));
      }
    }
    result.sort(Comparator.comparing((InDoubt each) -> each.branch().age()).reversed());
    return result;
  }

  private InDoubt inDoubt(
      Participant participant, PreparedBranch branch, Probe probe, Verdict claim) {
    Gid gid = branch.gid();
    return switch (probe) {
      case OPEN -> new InDoubt(branch, null, InDoubt.State.OWNER_ALIVE, null);
      case COMMITTED ->
          new InDoubt(
              branch,
              decisions.operationOf(gid).orElse(null),
              InDoubt.State.COMMITTED,
              participant.branches().statement(gid, true));
      case ROLLED_BACK ->
          claim == Verdict.HELD
              ? new InDoubt(
                  branch,
                  null,
                  InDoubt.State.ROLLED_BACK,
                  participant.branches().statement(gid, false))
              : new InDoubt(branch, null, InDoubt.State.NOT_OURS_TO_ABORT, null);
      case FORGOTTEN -> new InDoubt(branch, null, InDoubt.State.TOO_OLD, null);
    };
  }

  private List<Participant> sorted() {
    return participants.values().stream().sorted(Comparator.comparing(Participant::name)).toList();
  }

  @Override
  public List<Heuristic> heuristics(int limit) {
    return decisions.heuristics(limit);
  }

  @Override
  public boolean acknowledge(Gid gid, String note) {
    if (note.isBlank() || note.length() > 1_000) {
      throw new InvalidConfiguration(
          "The note has %,d characters, and must have 1 to 1,000 that are not all blank. Nothing was recorded."
              .formatted(note.length()));
    }
    return decisions.acknowledge(gid, note);
  }

  @Override
  public void claim(String participant) {
    Participant known = participants.get(participant);
    if (known == null) {
      throw new InvalidConfiguration(
          "There is no participant "
              + participant
              + " here. Nothing was done. There is: "
              + String.join(", ", sorted().stream().map(Participant::name).toList())
              + ".");
    }
    coordinator.claims().takeByOrder(known);
    ready.remove(participant);
  }

  @Override
  public void close() {
    watches.values().forEach(Watch::close);
    watches.values().forEach(Watch::join);
  }

  /** Looks at one participant again and again. */
  private final class Watch implements Runnable {
    private final Participant participant;
    private final Doorbell doorbell = new Doorbell();
    private final Thread thread;
    private @Nullable String failing;
    private volatile boolean closing;

    Watch(Participant participant) {
      this.participant = participant;
      this.thread = new Thread(this, "holdfast-recovery-" + participant);
      thread.setDaemon(true);
    }

    void start() {
      thread.start();
    }

    void close() {
      closing = true;
      doorbell.ring();
    }

    void join() {
      try {
        thread.join(TO_END.toMillis());
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    @Override
    public void run() {
      try {
        while (!closing) {
          look();
          doorbell.await(coordinator.settings().recoveryInterval());
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private void recoverInterrupted() {
      TwoPhaseSettings settings = coordinator.settings();
      Recovered found =
          new RecoveryRound(coordinator, participant, settings.recoverAfter(), settings.settle())
              .run();
      coordinator.secondPhase().reached(participant);
      if (found.committed() + found.rolledBack() > 0) {
        log.info(
            "participant {}: {} branch(es) of interrupted operations committed, {} rolled back",
            participant,
            found.committed(),
            found.rolledBack());
      }
    }

    private void look() {
      try {
        prepare(participant);
        try {
          recoverInterrupted();
        } finally {
          // A branch that this user may not end keeps nobody from forgetting others.
          new Cleaner(coordinator, participant).run();
        }
        failing = null;
      } catch (HoldfastException e) {
        if (!String.valueOf(e.getMessage()).equals(failing)) {
          log.warn("participant {}: recovery is tried again: {}", participant, e.getMessage());
        }
        failing = String.valueOf(e.getMessage());
      } catch (RuntimeException e) {
        log.error("participant {}: unexpected, recovery is tried again", participant, e);
      }
    }
  }
}
