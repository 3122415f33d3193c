package dev.holdfast.http;

import dev.holdfast.InvalidConfiguration;
import java.nio.charset.StandardCharsets;
import java.security.InvalidKeyException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Signatures of the Standard Webhooks specification (<a
 * href="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md">text</a>):
 * HMAC-SHA256 over id, time and body, once for each secret. Immutable and thread-safe. Prints no
 * secret.
 */
final class Signing {
  private static final String PREFIX = "whsec_";
  private static final String ALGORITHM = "HmacSHA256";
  private static final int LEAST_BYTES = 24;
  private static final int MOST_BYTES = 64;
  private static final int MOST_SECRETS = 8;

  private final List<SecretKeySpec> secrets;

  private Signing(List<SecretKeySpec> secrets) {
    this.secrets = List.copyOf(secrets);
  }

  /**
   * @throws InvalidConfiguration when one is not a secret; it is not repeated in the message
   */
  static Signing with(List<String> secrets) {
    if (secrets.size() > MOST_SECRETS) {
      throw new InvalidConfiguration(
          "There are %d webhook secrets, and may be %d. Nothing was started."
              .formatted(secrets.size(), MOST_SECRETS));
    }
    List<SecretKeySpec> keys = new ArrayList<>();
    for (String secret : secrets) {
      byte[] key = {};
      try {
        if (secret.startsWith(PREFIX)) {
          key = Base64.getDecoder().decode(secret.substring(PREFIX.length()));
        }
      } catch (IllegalArgumentException e) {
        // Its message has parts of the secret; what follows says enough.
        key = new byte[0];
      }
      if (key.length < LEAST_BYTES || key.length > MOST_BYTES) {
        throw new InvalidConfiguration(
            "Webhook secret number %d is not whsec_ and the Base64 of %d to %d bytes. Nothing was started."
                .formatted(keys.size() + 1, LEAST_BYTES, MOST_BYTES));
      }
      keys.add(new SecretKeySpec(key, ALGORITHM));
    }
    return new Signing(keys);
  }

  boolean isEmpty() {
    return secrets.isEmpty();
  }

  /** The value of {@code webhook-signature}. */
  String sign(String id, long seconds, byte[] body) {
    StringBuilder all = new StringBuilder();
    for (SecretKeySpec secret : secrets) {
      all.append(all.isEmpty() ? "" : " ")
          .append("v1,")
          .append(Base64.getEncoder().encodeToString(mac(secret, id, seconds, body)));
    }
    return all.toString();
  }

  /** Whether one of the signatures is by one of the secrets. Takes as long either way. */
  boolean verify(String signatures, String id, long seconds, byte[] body) {
    boolean matches = false;
    for (SecretKeySpec secret : secrets) {
      byte[] expected =
          ("v1," + Base64.getEncoder().encodeToString(mac(secret, id, seconds, body)))
              .getBytes(StandardCharsets.US_ASCII);
      for (String signature : signatures.split(" ", MOST_SECRETS + 1)) {
        matches |= MessageDigest.isEqual(expected, signature.getBytes(StandardCharsets.UTF_8));
      }
    }
    return matches;
  }

  private static byte[] mac(SecretKeySpec secret, String id, long seconds, byte[] body) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(secret);
      mac.update((id + "." + seconds + ".").getBytes(StandardCharsets.UTF_8));
      return mac.doFinal(body);
    } catch (NoSuchAlgorithmException | InvalidKeyException e) {
      throw new IllegalStateException("every Java platform has " + ALGORITHM, e);
    }
  }
}
