package dev.holdfast.twophase.store;

import java.time.Duration;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * What a participant has written down about the decision database that it obeys: of an original and
 * its copy only one is believed.
 *
 * @param token the current claim's; known to the decision database that made it
 * @param previous the token that this one replaced
 * @param previousStarted when the server was started that held the claim before: it alone may
 *     object
 * @param holder the decision database's server when it was claimed
 * @param settlesIn how long until the claim may be used for aborting, by the participant's clock;
 *     zero when it has settled
 */
public record Claim(
    UUID token,
    @Nullable UUID previous,
    @Nullable String previousStarted,
    Server holder,
    Duration settlesIn) {

  /** Whether whoever held the claim before has had the time to object. */
  public boolean isSettled() {
    return settlesIn.isZero();
  }
}
