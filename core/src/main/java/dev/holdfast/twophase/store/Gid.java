package dev.holdfast.twophase.store;

import java.nio.ByteBuffer;
import java.util.Base64;
import java.util.HexFormat;
import java.util.Optional;
import java.util.UUID;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Names one prepared branch, and by that the decision it waits for. Fresh for every attempt.
 *
 * <p>The serial alone would not do: a database that crashes hands out again what it had handed out
 * and not flushed, and an old branch would find the decision of a new attempt. So there is a random
 * nonce beside it. The serial says what the nonce cannot: whether the decision can have been
 * forgotten by now.
 *
 * @param storeId the store that holds the decision
 * @param serial the id of the decision's transaction, from 1
 * @param nonce random
 * @param participant the name under which that store knows the branch's database
 */
public record Gid(UUID storeId, long serial, long nonce, String participant) {
  private static final String PREFIX = "hf:";
  private static final Pattern FORM =
      Pattern.compile("hf:([A-Za-z0-9_-]{22}):([0-9a-f]{1,16}):([0-9a-f]{16}):([a-z0-9_-]{1,30})");
  private static final Base64.Encoder ENCODER = Base64.getUrlEncoder().withoutPadding();

  /** What the gids of a store begin with: of characters that need no quoting anywhere. */
  public static String prefix(UUID storeId) {
    byte[] bytes =
        ByteBuffer.allocate(16)
            .putLong(storeId.getMostSignificantBits())
            .putLong(storeId.getLeastSignificantBits())
            .array();
    return PREFIX + ENCODER.encodeToString(bytes) + ":";
  }

  /**
   * What all branches of an attempt have in common, at most 62 of the characters {@code A-Z a-z 0-9
   * : _ -}: the global part of an XA id.
   */
  public String global() {
    return prefix(storeId) + Long.toHexString(serial) + ":" + hex(nonce);
  }

  /** The whole, at most 93 characters; reads back with {@link #parse}. */
  public String text() {
    return global() + ":" + participant;
  }

  /** Empty for what is not ours. */
  public static Optional<Gid> parse(String text) {
    Matcher form = FORM.matcher(text);
    if (!form.matches()) {
      return Optional.empty();
    }
    ByteBuffer bytes;
    try {
      bytes = ByteBuffer.wrap(Base64.getUrlDecoder().decode(form.group(1)));
    } catch (IllegalArgumentException e) {
      // Of the right length, but the unused bits of its last character are set: not written here.
      return Optional.empty();
    }
    long serial = Long.parseUnsignedLong(form.group(2), 16);
    if (serial < 1) {
      return Optional.empty();
    }
    return Optional.of(
        new Gid(
            new UUID(bytes.getLong(), bytes.getLong()),
            serial,
            Long.parseUnsignedLong(form.group(3), 16),
            form.group(4)));
  }

  private static String hex(long value) {
    return HexFormat.of().toHexDigits(value);
  }

  @Override
  public String toString() {
    return text();
  }
}
