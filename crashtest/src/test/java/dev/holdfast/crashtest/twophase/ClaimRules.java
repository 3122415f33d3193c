package dev.holdfast.crashtest.twophase;

import dev.holdfast.crashtest.twophase.ClaimWorld.Claimed;
import dev.holdfast.internal.twophase.ClaimProtocol;
import dev.holdfast.internal.twophase.ClaimProtocol.Verdict;
import dev.holdfast.twophase.store.Claim;
import dev.holdfast.twophase.store.DecisionStore.Registration;
import dev.holdfast.twophase.store.Server;
import java.util.Optional;

/** What the code does about claims, where a mutant may do otherwise. */
class ClaimRules {
  static final ClaimRules STANDARD = new ClaimRules();

  Verdict judge(Registration ours, Claim claim, Server us) {
    return ClaimProtocol.judge(ours, Optional.of(claim), us);
  }

  /** What {@code Claims} writes down at the participant. */
  Claimed take(Verdict verdict, Claimed theirs, int token, int started) {
    return verdict == Verdict.OBJECT
        ? new Claimed(token, 0, 0, started, true)
        : new Claimed(token, theirs.token(), theirs.holder(), started, false);
  }

  /**
   * Whether a proposal that is open already is taken up rather than replaced.
   *
   * @param by the start of the server in whose name it was made
   * @param us the start of the server now
   */
  boolean takesUpProposal(int by, int us) {
    return by == us;
  }
}
