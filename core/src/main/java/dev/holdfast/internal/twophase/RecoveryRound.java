package dev.holdfast.internal.twophase;

import dev.holdfast.internal.twophase.ClaimProtocol.Verdict;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhase.Recovered;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Probe;
import dev.holdfast.twophase.store.Finish;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.Heuristic;
import dev.holdfast.twophase.store.PreparedBranch;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One look at one participant for branches whose owner may be dead. Used once. */
final class RecoveryRound {
  private static final Logger log = LoggerFactory.getLogger(RecoveryRound.class);

  /** How long a transaction that may have an owner is waited for. */
  static final Duration PATIENCE = Duration.ofMillis(100);

  private static final int AT_ONCE = 200;

  private final Coordinator coordinator;
  private final DecisionStore decisions;
  private final Participant participant;
  private final BranchStore there;
  private final Duration olderThan;
  private final Duration reportAfter;
  private @Nullable RuntimeException refusal;
  private int committed;
  private int rolledBack;
  private int left;
  private int reported;

  /**
   * @param olderThan branches that are younger are not looked at
   * @param reportAfter and of those which only a person can end, the younger are not reported
   */
  RecoveryRound(
      Coordinator coordinator, Participant participant, Duration olderThan, Duration reportAfter) {
    this.coordinator = coordinator;
    this.decisions = coordinator.decisions();
    this.participant = participant;
    this.there = participant.branches();
    this.olderThan = olderThan;
    this.reportAfter = reportAfter;
  }

  Recovered run() {
    // Looked at in any case: whoever is being replaced has to object in time.
    Verdict first = coordinator.claims().check(participant);
    List<Gid> gids =
        there.prepared(coordinator.storeId(), participant.name(), false).stream()
            .filter(branch -> branch.age().compareTo(olderThan) >= 0)
            .filter(this::mayBeInterrupted)
            .map(PreparedBranch::gid)
            .toList();
    for (int from = 0; from < gids.size(); from += AT_ONCE) {
      List<Gid> some = gids.subList(from, Math.min(gids.size(), from + AT_ONCE));
      // Anew for every further one: many take longer than a copy's claim takes to settle.
      Verdict claim = from == 0 ? first : coordinator.claims().check(participant);
      List<Gid> decided = new ArrayList<>();
      List<Gid> unknown = new ArrayList<>();
      decisions.probe(some, PATIENCE, answers -> act(answers, claim, decided, unknown));
      end(decided, true);
      reportWhatIsPreparedStill(unknown);
    }
    if (refusal != null) {
      throw refusal;
    }
    return new Recovered(committed, rolledBack, left, reported);
  }

  /**
   * Who is at a branch here is spared the question, which is right in any case; but not for ever:
   * who has lost it does not say so.
   */
  private boolean mayBeInterrupted(PreparedBranch branch) {
    return !coordinator.live().contains(branch.gid())
        || branch.age().compareTo(coordinator.settings().settle()) >= 0;
  }

  /** While nobody else gets the same answers: what is rolled back is so before that ends. */
  private void act(Map<Gid, Probe> answers, Verdict claim, List<Gid> decided, List<Gid> unknown) {
    List<Gid> undecided = new ArrayList<>();
    answers.forEach(
        (gid, probe) -> {
          switch (RecoveryProtocol.judge(probe, claim == Verdict.HELD)) {
            case LEAVE -> left++;
            case COMMIT -> decided.add(gid);
            case ROLL_BACK -> undecided.add(gid);
            case REPORT -> unknown.add(gid);
          }
        });
    end(undecided, false);
  }

  /**
   * One that is not was ended since it was looked for, and then its decision was forgotten. Only
   * one that stood still for long can have been prepared behind that, and its owner, who is about
   * to learn that it cannot commit, is given the time to undo it.
   */
  private void reportWhatIsPreparedStill(List<Gid> gids) {
    if (gids.isEmpty()) {
      return;
    }
    there.prepared(coordinator.storeId(), participant.name(), false).stream()
        .filter(branch -> branch.age().compareTo(reportAfter) >= 0)
        .map(PreparedBranch::gid)
        .filter(gids::contains)
        .forEach(gid -> report(gid, Heuristic.Kind.TOO_OLD));
  }

  private void end(List<Gid> gids, boolean commit) {
    if (gids.isEmpty()) {
      return;
    }
    List<Gid> gone = new ArrayList<>();
    SQLException refused = null;
    String doing = (commit ? "commit" : "roll back") + " what is prepared";
    try (Connection connection = there.connect()) {
      for (Gid gid : gids) {
        try {
          Finish answer =
              commit
                  ? there.commitPrepared(connection, gid)
                  : there.rollbackPrepared(connection, gid);
          switch (answer) {
            case DONE -> count(commit);
            case NOT_PREPARED -> gone.add(gid);
            case HELD -> left++;
          }
        } catch (SQLException e) {
          if (there.isReplyLost(e)) {
            throw e;
          }
          // One that may not be ended by this user, say, keeps the others from nothing.
          left++;
          refused = refused == null ? e : refused;
        }
      }
    } catch (SQLException e) {
      throw there.translate(doing + " at participant " + participant, e);
    }
    for (Gid gid : gone) {
      explain(gid, commit);
    }
    if (refused != null && refusal == null) {
      refusal = there.translate(doing + " at participant " + participant, refused);
    }
  }

  private void count(boolean commit) {
    if (commit) {
      committed++;
    } else {
      rolledBack++;
    }
  }

  /** It was prepared a moment ago, and is not any more. */
  private void explain(Gid gid, boolean commit) {
    found(gid, commit).ifPresent(kind -> report(gid, kind));
  }

  private Optional<Heuristic.Kind> found(Gid gid, boolean commit) {
    return commit
        ? coordinator.goneThoughDecided(participant, gid)
        : RecoveryProtocol.afterRollback(there.witnessed(List.of(gid)).contains(gid));
  }

  private void report(Gid gid, Heuristic.Kind kind) {
    reported++;
    log.error("participant {}: branch {}: {}; see holdfast doctor", participant, gid, kind.text());
    coordinator.report(gid, decisions.operationOf(gid).orElse(null), kind);
  }
}
