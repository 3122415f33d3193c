package dev.holdfast;

import java.sql.Connection;

/** The isolation level of a transaction that Holdfast begins. */
public enum Isolation {
  READ_COMMITTED(Connection.TRANSACTION_READ_COMMITTED),
  REPEATABLE_READ(Connection.TRANSACTION_REPEATABLE_READ),
  SERIALIZABLE(Connection.TRANSACTION_SERIALIZABLE);

  private final int jdbcLevel;

  Isolation(int jdbcLevel) {
    this.jdbcLevel = jdbcLevel;
  }

  /** The level as {@link Connection#setTransactionIsolation} takes it. */
  public int jdbcLevel() {
    return jdbcLevel;
  }
}
