package dev.holdfast.reservation;

import dev.holdfast.StaleVersion;
import dev.holdfast.Transaction;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HexFormat;
import org.jspecify.annotations.Nullable;

/**
 * Reads rows again, and goes on only if they are as they were: for what a saga decides on in one
 * step and relies on in a later one, where the rows have no version.
 *
 * <p>What was read is kept as a digest, of the columns' values as the driver shows them as text; so
 * sessions with another time zone or date style than before may find a difference where there is
 * none, which errs to the safe side. A row that was changed and changed back counts as unchanged.
 */
public final class Reread {
  private Reread() {}

  /**
   * Reads and takes the digest, for keeping. Locks nothing.
   *
   * @param query selects the columns that matter, in a stated order if several rows; plain, so that
   *     its rows can be locked
   */
  public static String digest(Transaction tx, String query, @Nullable Object... parameters)
      throws SQLException {
    MessageDigest digest;
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("Every Java platform has SHA-256.", e);
    }
    try (PreparedStatement statement = tx.connection().prepareStatement(query)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      try (ResultSet rows = statement.executeQuery()) {
        int columns = rows.getMetaData().getColumnCount();
        while (rows.next()) {
          for (int column = 1; column <= columns; column++) {
            add(digest, rows.getString(column));
          }
        }
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }

  /** With its length in front, so that no two rows look alike; -1 stands for null. */
  private static void add(MessageDigest digest, @Nullable String value) {
    byte[] bytes = value == null ? new byte[0] : value.getBytes(StandardCharsets.UTF_8);
    digest.update(ByteBuffer.allocate(4).putInt(value == null ? -1 : bytes.length).array());
    digest.update(bytes);
  }

  /**
   * Locks the rows, reads them again and compares. Then they stay so until the transaction is over.
   * Rows that were not there before are seen, and not kept from coming afterwards.
   *
   * @param before what {@link #digest} returned
   * @param query the same as then
   * @throws StaleVersion when they differ
   */
  public static void verify(
      Transaction tx, String before, String query, @Nullable Object... parameters)
      throws SQLException {
    if (!digest(tx, query + " for update", parameters).equals(before)) {
      throw new StaleVersion(
          "What was read before has changed, or is gone. Let this exception leave the callback: the"
              + " transaction is then rolled back. Read again and decide anew. Query: "
              + query);
    }
  }
}
