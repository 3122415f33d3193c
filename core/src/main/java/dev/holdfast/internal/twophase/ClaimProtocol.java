package dev.holdfast.internal.twophase;

import dev.holdfast.twophase.store.Claim;
import dev.holdfast.twophase.store.DecisionStore.Registration;
import dev.holdfast.twophase.store.Server;
import java.util.Optional;

/**
 * Which of a deciding database and its copies may abort what is prepared elsewhere. Pure.
 *
 * <p>A copy knows all decisions up to the moment it was made, and would take each later one for
 * never made. So a participant writes down by which server it is claimed, under a random token that
 * the deciding database knows as well. A server that is not certainly the one written down (it was
 * restarted, promoted, restored, or is a copy) has to claim anew, and that claim settles only after
 * a time, in which the one before can object: whoever runs on has the token that was replaced, and
 * takes it back. What settles has been let alone for longer than any transaction under the old
 * claim may still be committed.
 */
public final class ClaimProtocol {

  /** What to do about a participant's claim. */
  public enum Verdict {
    /** It is ours and settled: branches may be aborted. */
    HELD,
    /** It is known to us and not settled yet: nothing may be aborted. */
    SETTLING,
    /** Nobody has claimed it: claim it. */
    CLAIM,
    /** It is ours from another time or place: claim anew, and wait. */
    RENEW,
    /** Somebody is taking it from us: take it back. */
    OBJECT,
    /**
     * It belongs to another, or this is a copy: only an operator can say which is to be believed.
     */
    REFUSED
  }

  private ClaimProtocol() {}

  /**
   * @param ours what this database has written down about the participant
   * @param claim what the participant has written down
   * @param us this server
   */
  public static Verdict judge(Registration ours, Optional<Claim> claim, Server us) {
    if (claim.isEmpty()) {
      return Verdict.CLAIM;
    }
    Claim theirs = claim.get();
    boolean known = theirs.token().equals(ours.claim()) || theirs.token().equals(ours.nextClaim());
    if (known) {
      if (!theirs.holder().isSameDatabase(us)) {
        return Verdict.REFUSED;
      }
      if (!theirs.holder().isSameServer(us)) {
        // While it settles, whoever was replaced has to be found as the one who may object.
        return theirs.isSettled() ? Verdict.RENEW : Verdict.SETTLING;
      }
      return theirs.isSettled() ? Verdict.HELD : Verdict.SETTLING;
    }
    boolean replaced =
        theirs.previous() != null
            && (theirs.previous().equals(ours.claim())
                || theirs.previous().equals(ours.nextClaim()));
    boolean weHeldIt = us.started().equals(theirs.previousStarted());
    return replaced && weHeldIt && !theirs.isSettled() ? Verdict.OBJECT : Verdict.REFUSED;
  }
}
