package dev.holdfast.internal.twophase;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.internal.twophase.ClaimProtocol.Verdict;
import dev.holdfast.twophase.ClaimLost;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.Claim;
import dev.holdfast.twophase.store.DecisionStore;
import dev.holdfast.twophase.store.DecisionStore.Identity;
import dev.holdfast.twophase.store.DecisionStore.Registration;
import dev.holdfast.twophase.store.Server;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps this database's claims of its participants: registers, claims, renews, objects.
 * Thread-safe, and several processes may do it at once.
 *
 * <p>A claim is two writes in two databases, and a crash between them leaves a proposal here that
 * the next one takes up: {@code propose} here, compare-and-set there, {@code confirm} here. Each of
 * the three can be repeated.
 */
public final class Claims {
  private static final Logger log = LoggerFactory.getLogger(Claims.class);

  /** Each turn ends in a claim that is seen to be ours or another's, unless others race. */
  private static final int TURNS = 10;

  private final DecisionStore decisions;
  private final Duration settle;
  private final Map<String, UUID> tokens = new ConcurrentHashMap<>();

  Claims(DecisionStore decisions, Duration settle) {
    this.decisions = decisions;
    this.settle = settle;
  }

  /**
   * The token under which branches are prepared.
   *
   * @throws ClaimLost when the participant obeys another database
   */
  UUID token(Participant participant) {
    UUID known = tokens.get(participant.name());
    if (known != null) {
      return known;
    }
    check(participant);
    UUID now = tokens.get(participant.name());
    if (now == null) {
      throw lost(participant);
    }
    return now;
  }

  /** The participant has said that the token is not the one it knows. */
  void forget(Participant participant) {
    tokens.remove(participant.name());
  }

  /** Looks, and changes nothing; {@code CLAIM} where nobody here has registered it. */
  Verdict look(Participant participant) {
    Identity us = decisions.identity();
    Optional<Registration> ours = decisions.participant(participant.name());
    return ours.isEmpty()
        ? Verdict.CLAIM
        : ClaimProtocol.judge(
            ours.get(),
            participant.branches().claim(us.storeId(), participant.name()),
            us.server());
  }

  /** Looks, and does what has to be done; returns HELD, SETTLING or REFUSED. */
  Verdict check(Participant participant) {
    BranchStore there = participant.branches();
    Identity us = decisions.identity();
    Registration ours = registered(participant, us);
    for (int turn = 0; turn < TURNS; turn++) {
      Optional<Claim> claim = there.claim(us.storeId(), participant.name());
      Verdict verdict = ClaimProtocol.judge(ours, claim, us.server());
      switch (verdict) {
        case HELD, SETTLING -> {
          UUID token = claim.orElseThrow().token();
          if (token.equals(ours.nextClaim())) {
            decisions.confirm(participant.name(), token);
          }
          tokens.put(participant.name(), token);
          return verdict;
        }
        case REFUSED -> {
          tokens.remove(participant.name());
          return verdict;
        }
        case CLAIM -> there.claim(us.storeId(), participant.name(), null, first(ours, us));
        case RENEW -> take(participant, us, ours, claim.orElseThrow(), settle);
        case OBJECT -> {
          log.error(
              "Participant {} was being claimed by a copy of this database, or by a server that was to replace it ({}); this server was there first and has taken it back. Stop the copy, or this server.",
              participant,
              claim.orElseThrow().holder().place());
          take(participant, us, ours, claim.orElseThrow(), Duration.ZERO);
        }
      }
      ours = decisions.participant(participant.name()).orElseThrow();
    }
    // Others are at it all the time: nobody's claim is settled then.
    return Verdict.SETTLING;
  }

  private static Claim first(Registration ours, Identity us) {
    return new Claim(ours.claim(), null, null, us.server(), Duration.ZERO);
  }

  private Registration registered(Participant participant, Identity us) {
    BranchStore there = participant.branches();
    Optional<Registration> known = decisions.participant(participant.name());
    if (known.isPresent()) {
      return known.get();
    }
    Server server = there.server();
    if (server.isSameDatabase(us.server())) {
      throw new InvalidConfiguration(
          "Participant "
              + participant
              + " is the database that decides itself, so that one local transaction is enough for"
              + " both. Nothing was started. Use its transaction for both effects.");
    }
    for (Registration other : decisions.participants()) {
      // Another thread or process may have registered this very one in the meantime.
      if (!other.name().equals(participant.name()) && other.server().isSameDatabase(server)) {
        throw new InvalidConfiguration(
            "Participant "
                + participant
                + " is the same database as participant "
                + other.name()
                + ". Nothing was started. Use one name for it: what is prepared carries the name.");
      }
    }
    decisions.register(new Registration(participant.name(), server, UUID.randomUUID(), null, 0));
    return decisions.participant(participant.name()).orElseThrow();
  }

  private void take(
      Participant participant, Identity us, Registration ours, Claim theirs, Duration settlesIn) {
    UUID current = ours.claim();
    if (theirs.token().equals(ours.nextClaim())) {
      // Claimed by a process that died before it said so.
      current = theirs.token();
      decisions.confirm(participant.name(), current);
    }
    UUID next =
        decisions.propose(participant.name(), current, UUID.randomUUID(), us.server().started());
    boolean taken =
        participant
            .branches()
            .claim(
                us.storeId(),
                participant.name(),
                theirs.token(),
                new Claim(
                    next,
                    settlesIn.isZero() ? null : theirs.token(),
                    settlesIn.isZero() ? null : theirs.holder().started(),
                    us.server(),
                    settlesIn));
    if (taken) {
      decisions.confirm(participant.name(), next);
    }
  }

  /** An operator's word that this database is to be believed, and not whoever has the claim. */
  void takeByOrder(Participant participant) {
    BranchStore there = participant.branches();
    Identity us = decisions.identity();
    registered(participant, us);
    decisions.replace(participant.name(), there.server());
    for (int turn = 0; turn < TURNS; turn++) {
      Registration ours = decisions.participant(participant.name()).orElseThrow();
      Optional<Claim> claim = there.claim(us.storeId(), participant.name());
      if (claim.isEmpty()) {
        there.claim(us.storeId(), participant.name(), null, first(ours, us));
      } else {
        take(participant, us, ours, claim.get(), Duration.ZERO);
      }
      Verdict now = check(participant);
      if (now == Verdict.HELD) {
        return;
      }
    }
    throw lost(participant);
  }

  /** Whether the participant is still the database that it was registered as. */
  @Nullable String otherDatabase(Participant participant) {
    Optional<Registration> known = decisions.participant(participant.name());
    if (known.isEmpty()) {
      return null;
    }
    Server now = participant.branches().server();
    return known.get().server().isSameDatabase(now)
        ? null
        : "it was %s (system %s, database %s) and is %s (system %s, database %s)"
            .formatted(
                known.get().server().place(),
                known.get().server().system(),
                known.get().server().database(),
                now.place(),
                now.system(),
                now.database());
  }

  static ClaimLost lost(Participant participant) {
    return new ClaimLost(
        "Participant %s obeys another database than this one: this one is a copy or a restored backup, or a copy of it was started where this one was not running. Nothing is prepared or aborted there by this one. If this is the one to be believed, stop the other, and type: holdfast recover --claim %s."
            .formatted(participant, participant));
  }
}
