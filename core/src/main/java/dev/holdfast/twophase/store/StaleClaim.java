package dev.holdfast.twophase.store;

import java.sql.SQLException;

/**
 * The participant obeys another claim than the one the branch was made under, or the deciding
 * transaction is over.
 */
public final class StaleClaim extends SQLException {
  private static final long serialVersionUID = 1L;

  public StaleClaim(SQLException cause) {
    super(cause.getMessage(), cause.getSQLState(), cause);
  }
}
