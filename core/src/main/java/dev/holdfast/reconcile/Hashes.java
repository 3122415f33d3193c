package dev.holdfast.reconcile;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/**
 * The hashes that every side computes alike, wherever its rows are: of MD5, since databases have it
 * built in. They find differences, and protect from nobody who makes them on purpose.
 *
 * <p>In SQL, with {@code k} and {@code v} as text: the point is {@code ('x' || substr(md5(k), 1,
 * 12))::bit(48)::bigint}, the fingerprint {@code ('x' || substr(md5(md5(k) || v), 1,
 * 16))::bit(64)::bigint}.
 */
public final class Hashes {
  private Hashes() {}

  /** Where a key is among all: the first 48 bits of the MD5 of its UTF-8. */
  public static long point(String key) {
    return first64(md5(key)) >>> 16;
  }

  /** What is summed of a row: 64 bits of its key together with its version. */
  public static long fingerprint(String key, String version) {
    return first64(md5(HexFormat.of().formatHex(md5(key)) + version));
  }

  private static long first64(byte[] hash) {
    return ByteBuffer.wrap(hash).getLong();
  }

  private static byte[] md5(String text) {
    try {
      return MessageDigest.getInstance("MD5").digest(text.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java platform has MD5", e);
    }
  }
}
