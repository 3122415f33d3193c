package dev.holdfast.http;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.Incoming;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Tells whether a webhook that came in is from whoever shares a secret (<a
 * href="https://www.standardwebhooks.com">Standard Webhooks</a>), and makes of it what an {@link
 * dev.holdfast.inbox.Inbox} handles once, by its {@code webhook-id}. Immutable and thread-safe.
 */
public final class WebhookVerifier {
  private static final Duration TOLERANCE = Duration.ofMinutes(5);
  private static final int MAX_SIGNATURE_CHARS = 2048;

  private final Signing signing;
  private final InstantSource clock;

  private WebhookVerifier(Signing signing, InstantSource clock) {
    this.signing = signing;
    this.clock = clock;
  }

  /**
   * @param secrets {@code whsec_} and Base64; during a rotation the old and the new one
   * @throws InvalidConfiguration when there is none, or one is malformed
   */
  public static WebhookVerifier of(String... secrets) {
    Signing signing = Signing.with(List.of(secrets));
    if (signing.isEmpty()) {
      throw new InvalidConfiguration(
          "There is no webhook secret, so nothing could be verified. Nothing was started.");
    }
    return new WebhookVerifier(signing, InstantSource.system());
  }

  /** With another clock than the system's. */
  public WebhookVerifier clock(InstantSource value) {
    return new WebhookVerifier(signing, value);
  }

  /**
   * Verifies a webhook that was sent within five minutes by this machine's clock.
   *
   * @param header gives the first value of a header, or {@code null}
   * @param body as it came, byte for byte
   * @throws InvalidSignature when it is not from whoever shares a secret, or older or newer
   */
  public Incoming verify(UnaryOperator<@Nullable String> header, byte[] body) {
    String id = header.apply("webhook-id");
    String time = header.apply("webhook-timestamp");
    String signatures = header.apply("webhook-signature");
    if (id == null || time == null || signatures == null) {
      throw new InvalidSignature(
          "The request has no webhook-id, webhook-timestamp or webhook-signature. It was not handled.");
    }
    long seconds;
    try {
      seconds = Long.parseLong(time);
    } catch (NumberFormatException e) {
      throw new InvalidSignature("The webhook-timestamp is not a number. It was not handled.");
    }
    long now = clock.instant().getEpochSecond();
    if (seconds < now - TOLERANCE.toSeconds() || seconds > now + TOLERANCE.toSeconds()) {
      throw new InvalidSignature(
          "The webhook was sent more than %s before or after this machine's time, so it may be replayed by somebody else. It was not handled. Check the clocks."
              .formatted(TOLERANCE));
    }
    if (signatures.length() > MAX_SIGNATURE_CHARS
        || !signing.verify(signatures, id, seconds, body)) {
      throw new InvalidSignature(
          "No signature of the webhook is by a secret that is known here. It was not handled.");
    }
    return Incoming.of(id).saying(body);
  }
}
