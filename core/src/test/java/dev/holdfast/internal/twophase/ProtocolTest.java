package dev.holdfast.internal.twophase;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.internal.twophase.ClaimProtocol.Verdict;
import dev.holdfast.internal.twophase.OwnerProtocol.Event;
import dev.holdfast.internal.twophase.OwnerProtocol.State;
import dev.holdfast.twophase.store.Claim;
import dev.holdfast.twophase.store.DecisionStore.Probe;
import dev.holdfast.twophase.store.DecisionStore.Registration;
import dev.holdfast.twophase.store.Heuristic;
import dev.holdfast.twophase.store.Server;
import java.time.Duration;
import java.util.Optional;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** The tables, row by row where a row is the point. */
final class ProtocolTest {
  private static final Server HERE = new Server("system", "1", 1, "a:1", "monday");
  private static final Server RESTARTED = new Server("system", "1", 1, "a:1", "tuesday");
  private static final Server PROMOTED = new Server("system", "1", 2, "b:1", "monday");
  private static final Server DUMP = new Server("another", "1", 1, "a:1", "monday");
  private static final UUID OURS = new UUID(0, 1);
  private static final UUID NEXT = new UUID(0, 2);
  private static final UUID THEIRS = new UUID(0, 3);
  private static final Registration KNOWN = new Registration("ledger", HERE, OURS, NEXT, 0);

  private static Claim claim(UUID token, @Nullable UUID previous, Server holder, boolean settled) {
    return new Claim(
        token,
        previous,
        previous == null ? null : HERE.started(),
        holder,
        settled ? Duration.ZERO : Duration.ofSeconds(1));
  }

  private static Verdict judge(Claim claim, Server us) {
    return ClaimProtocol.judge(KNOWN, Optional.of(claim), us);
  }

  @Test
  void aClaimIsHeldByTheServerThatMadeItAndRunsOn() {
    assertThat(ClaimProtocol.judge(KNOWN, Optional.empty(), HERE)).isEqualTo(Verdict.CLAIM);
    assertThat(judge(claim(OURS, null, HERE, true), HERE)).isEqualTo(Verdict.HELD);
    // Claimed, and not confirmed before the process died.
    assertThat(judge(claim(NEXT, null, HERE, true), HERE)).isEqualTo(Verdict.HELD);
    assertThat(judge(claim(OURS, THEIRS, HERE, false), HERE)).isEqualTo(Verdict.SETTLING);
  }

  @Test
  void aServerThatMayBeACopyClaimsAnew() {
    assertThat(judge(claim(OURS, null, HERE, true), RESTARTED)).isEqualTo(Verdict.RENEW);
    assertThat(judge(claim(OURS, null, HERE, true), PROMOTED)).isEqualTo(Verdict.RENEW);
    assertThat(judge(claim(OURS, null, HERE, true), DUMP)).isEqualTo(Verdict.REFUSED);
    // Not before the claim there has settled: else whoever that one replaced could not object.
    assertThat(judge(claim(OURS, THEIRS, HERE, false), RESTARTED)).isEqualTo(Verdict.SETTLING);
  }

  @Test
  void onlyTheServerThatIsReplacedObjectsAndOnlyInTime() {
    assertThat(judge(claim(THEIRS, OURS, RESTARTED, false), HERE)).isEqualTo(Verdict.OBJECT);
    assertThat(judge(claim(THEIRS, OURS, RESTARTED, true), HERE)).isEqualTo(Verdict.REFUSED);
    // A copy knows the token that was replaced as well, and never held the claim.
    assertThat(judge(claim(THEIRS, OURS, HERE, false), RESTARTED)).isEqualTo(Verdict.REFUSED);
    assertThat(judge(claim(THEIRS, null, RESTARTED, false), HERE)).isEqualTo(Verdict.REFUSED);
  }

  @Test
  void nothingIsAbortedThatMayBeDecidedOrForgotten() {
    for (Probe probe : Probe.values()) {
      RecoveryProtocol.Verdict allowed = RecoveryProtocol.judge(probe, true);
      RecoveryProtocol.Verdict forbidden = RecoveryProtocol.judge(probe, false);
      assertThat(forbidden).isNotEqualTo(RecoveryProtocol.Verdict.ROLL_BACK);
      if (probe != Probe.ROLLED_BACK) {
        assertThat(allowed).isNotEqualTo(RecoveryProtocol.Verdict.ROLL_BACK).isEqualTo(forbidden);
      }
    }
  }

  @Test
  void whatAgreesIsNoHeuristicOutcome() {
    assertThat(RecoveryProtocol.compare(true, true, false)).isEmpty();
    assertThat(RecoveryProtocol.compare(false, false, false)).isEmpty();
    assertThat(RecoveryProtocol.compare(true, false, false)).contains(Heuristic.Kind.ROLLED_BACK);
    assertThat(RecoveryProtocol.compare(false, true, false)).contains(Heuristic.Kind.COMMITTED);
    assertThat(RecoveryProtocol.compare(true, false, true)).isEmpty();
    assertThat(RecoveryProtocol.compare(false, true, true)).contains(Heuristic.Kind.COMMITTED);
  }

  @Test
  void nothingIsPreparedBeforeTheDecisionIsWritten() {
    OwnerProtocol.Transition first = OwnerProtocol.STANDARD.after(State.WORKING, Event.WORKED);
    assertThat(first.action()).isEqualTo(OwnerProtocol.Action.WRITE_DECISION);
    assertThatThrownBy(() -> OwnerProtocol.STANDARD.after(State.WORKING, Event.PREPARED))
        .isInstanceOf(IllegalStateException.class);
  }
}
