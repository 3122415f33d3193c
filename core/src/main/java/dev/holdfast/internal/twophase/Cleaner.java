package dev.holdfast.internal.twophase;

import dev.holdfast.internal.twophase.ClaimProtocol.Verdict;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.BranchStore.Witness;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Decided;
import dev.holdfast.twophase.store.DecisionStore.Ripe;
import dev.holdfast.twophase.store.Digest;
import dev.holdfast.twophase.store.Gid;
import dev.holdfast.twophase.store.Heuristic;
import dev.holdfast.twophase.store.PreparedBranch;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Lays decisions and witnesses side by side, in the order of serials, and forgets what agrees. Used
 * once.
 *
 * <p>Read in this order: up to which serial every deciding transaction is over, which the
 * participant is told, so that whoever stood still meanwhile prepares nothing any more; what is
 * prepared; then witnesses and decisions below both. So a branch is prepared when it is looked for,
 * or has been ended before, and what is below the lowest prepared one is final. Where a PREPARE is
 * carried out at the very moment, or by a snapshot from before, it may be missed; when its process
 * dies as well, before it undoes it, such a branch is reported as too old, not aborted. Several may
 * clean at once: what is found counts only if nobody has cleaned since.
 */
final class Cleaner {
  private static final Logger log = LoggerFactory.getLogger(Cleaner.class);
  private static final int AT_ONCE = 5_000;

  private final Coordinator coordinator;
  private final DecisionStore decisions;
  private final Participant participant;
  private final BranchStore there;

  /**
   * Whether there may be more than one batch has taken. What ripens meanwhile waits for a round.
   */
  private boolean isFull = true;

  Cleaner(Coordinator coordinator, Participant participant) {
    this.coordinator = coordinator;
    this.decisions = coordinator.decisions();
    this.participant = participant;
    this.there = participant.branches();
  }

  /**
   * Only for whoever the participant obeys: a copy of the deciding database would take its
   * original's witnesses for its own, and delete them.
   */
  void run() {
    if (coordinator.claims().check(participant) != Verdict.HELD) {
      return;
    }
    Optional<DecisionStore.Registration> registration = decisions.participant(participant.name());
    if (registration.isEmpty()) {
      return;
    }
    long from = registration.get().cleaned();
    if (isAnythingRipe(from)) {
      long bound = bound(from);
      boolean more = true;
      while (more) {
        long upTo = batch(from, bound);
        more = isFull && upTo > from;
        from = upTo;
      }
    }
    // Those that were forgotten here before a crash may be there still.
    there.forget(coordinator.storeId(), participant.name(), from);
  }

  /** Asked first, since the bound costs a forced write. */
  private boolean isAnythingRipe(long from) {
    Ripe ripe = ripe(from, Long.MAX_VALUE);
    return ripe.upTo() > from
        && (ripe.digest().count() > 0 || witnessed(from, ripe.upTo()).count() > 0);
  }

  private Ripe ripe(long from, long upTo) {
    return decisions.ripe(
        participant.name(), from, upTo, coordinator.settings().keepDecisions(), AT_ONCE);
  }

  private Digest witnessed(long from, long upTo) {
    return there.digest(coordinator.storeId(), participant.name(), from, upTo);
  }

  /**
   * @return up to where it is cleaned now; {@code from} when there was nothing to do
   */
  private long batch(long from, long atMost) {
    if (atMost <= from) {
      return from;
    }
    Ripe ripe = ripe(from, atMost);
    long bound = ripe.upTo();
    if (bound <= from) {
      return from;
    }
    // The last one of a full page is left out.
    isFull = ripe.digest().count() >= AT_ONCE - 1;
    Digest witnessed = witnessed(from, bound);
    if (ripe.digest().count() == 0 && witnessed.count() == 0) {
      return from;
    }
    return ripe.digest().equals(witnessed)
        ? clean(from, bound, List.of())
        : findAndClean(from, bound);
  }

  /** Something differs: row by row. */
  private long findAndClean(long from, long atMost) {
    long bound = atMost;
    List<Witness> witnesses =
        there.witnesses(coordinator.storeId(), participant.name(), from, bound, AT_ONCE);
    if (witnesses.size() == AT_ONCE) {
      isFull = true;
      bound = Math.min(bound, witnesses.get(AT_ONCE - 1).serial() - 1);
    }
    List<Decided> decided = decisions.decisions(participant.name(), from, bound, AT_ONCE);
    if (decided.size() == AT_ONCE) {
      isFull = true;
      bound = Math.min(bound, decided.get(AT_ONCE - 1).serial() - 1);
    }
    if (bound <= from) {
      return from;
    }
    // After the witnesses: one that is missing among them was deleted before this is read.
    long forgotten = there.forgotten(coordinator.storeId(), participant.name());
    return clean(from, bound, compare(bound, forgotten, witnesses, decided));
  }

  private long clean(long from, long bound, List<Heuristic> found) {
    if (!decisions.clean(participant.name(), from, bound, found)) {
      return from;
    }
    for (Heuristic each : found) {
      log.error(
          "participant {}: branch {}: {}; see holdfast doctor",
          participant,
          each.gid(),
          each.kind().text());
    }
    return bound;
  }

  /** Of a branch that is prepared and was forgotten nothing is known that could be forgotten. */
  private long bound(long from) {
    UUID token = coordinator.claims().token(participant);
    long over = decisions.over() - 1;
    if (!there.refuse(coordinator.storeId(), participant.name(), token, over)) {
      // Claimed anew meanwhile, perhaps for a server that hands out the same serials again.
      return from;
    }
    long lowest = Long.MAX_VALUE;
    for (PreparedBranch branch : there.prepared(coordinator.storeId(), participant.name(), false)) {
      if (branch.gid().serial() > from) {
        lowest = Math.min(lowest, branch.gid().serial());
      }
    }
    return Math.min(over, lowest - 1);
  }

  private List<Heuristic> compare(
      long bound, long forgotten, List<Witness> witnesses, List<Decided> decided) {
    Map<Gid, @Nullable String> operations = new HashMap<>();
    Set<Gid> committedThere = new HashSet<>();
    for (Witness each : witnesses) {
      if (each.serial() <= bound) {
        committedThere.add(gid(each.serial(), each.nonce(), each.operationId(), operations));
      }
    }
    Set<Gid> committedHere = new HashSet<>();
    for (Decided each : decided) {
      if (each.serial() <= bound) {
        committedHere.add(gid(each.serial(), each.nonce(), each.operationId(), operations));
      }
    }
    List<Heuristic> found = new ArrayList<>();
    for (Map.Entry<Gid, @Nullable String> each : operations.entrySet()) {
      Gid gid = each.getKey();
      RecoveryProtocol.compare(
              committedHere.contains(gid), committedThere.contains(gid), gid.serial() <= forgotten)
          .ifPresent(
              kind -> found.add(new Heuristic(gid, each.getValue(), kind, Instant.EPOCH, null)));
    }
    return found;
  }

  private Gid gid(
      long serial,
      long nonce,
      @Nullable String operationId,
      Map<Gid, @Nullable String> operations) {
    Gid gid = new Gid(coordinator.storeId(), serial, nonce, participant.name());
    operations.put(gid, operationId);
    return gid;
  }
}
