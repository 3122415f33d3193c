package dev.holdfast.internal.workflow;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.workflow.Retry;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * What a step has declared.
 *
 * @param settleAfter set where there is a lookup
 * @param keyKeptFor set where the other side keeps the key
 */
public record Policy(
    Retry retry,
    Retry compensationRetry,
    Duration timeout,
    @Nullable Duration settleAfter,
    @Nullable Duration keyKeptFor,
    boolean compensates,
    boolean parksUnknown) {
  private static final Duration MOST = Duration.ofDays(30);

  public static final Policy OF_A_TRANSACTION =
      new Policy(Retry.NONE, Retry.COMPENSATION, Duration.ofSeconds(30), null, null, false, false);

  public static final Policy OF_A_CALL = OF_A_TRANSACTION.withRetry(Retry.CALL);

  public boolean hasLookup() {
    return settleAfter != null;
  }

  /** Whether a crash in the call has to leave a trace of it: a repeat alone does not resolve it. */
  public boolean needsIntent() {
    return hasLookup() || compensates || parksUnknown;
  }

  public Policy withRetry(Retry value) {
    return new Policy(
        value, compensationRetry, timeout, settleAfter, keyKeptFor, compensates, parksUnknown);
  }

  public Policy withCompensationRetry(Retry value) {
    return new Policy(retry, value, timeout, settleAfter, keyKeptFor, compensates, parksUnknown);
  }

  public Policy withTimeout(Duration value) {
    check("timeout", value);
    return new Policy(
        retry, compensationRetry, value, settleAfter, keyKeptFor, compensates, parksUnknown);
  }

  public Policy withSettleAfter(Duration value) {
    if (!value.isZero()) {
      check("settleAfter", value);
    }
    return new Policy(
        retry, compensationRetry, timeout, value, keyKeptFor, compensates, parksUnknown);
  }

  public Policy withKeyKeptFor(Duration value) {
    if (value.isNegative() || value.isZero()) {
      throw new InvalidConfiguration(
          "keyKeptFor is "
              + value
              + ", and must be more than nothing. The run waits for a person.");
    }
    return new Policy(
        retry, compensationRetry, timeout, settleAfter, value, compensates, parksUnknown);
  }

  public Policy withCompensation() {
    return new Policy(
        retry, compensationRetry, timeout, settleAfter, keyKeptFor, true, parksUnknown);
  }

  public Policy withParking() {
    return new Policy(
        retry, compensationRetry, timeout, settleAfter, keyKeptFor, compensates, true);
  }

  private static void check(String name, Duration value) {
    if (value.compareTo(Duration.ofMillis(1)) < 0 || value.compareTo(MOST) > 0) {
      throw new InvalidConfiguration(
          "%s is %s, and must be 1 ms to 30 days. The run waits for a person."
              .formatted(name, value));
    }
  }
}
