package dev.holdfast.workflow.store;

import java.sql.SQLException;

/** The run belongs to another executor; nothing was written. */
public final class TakenOver extends SQLException {
  private static final long serialVersionUID = 1L;

  public TakenOver(SQLException cause) {
    super(cause.getMessage(), cause.getSQLState(), cause);
  }
}
