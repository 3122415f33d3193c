package dev.holdfast.outbox.store;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/** Finds the store for a database; implementations are listed as services. */
public interface StoreProvider {

  /** Whether this provider knows the database behind the connection. */
  boolean supports(Connection connection) throws SQLException;

  /**
   * @param schema the schema that holds Holdfast's tables
   * @throws dev.holdfast.InvalidConfiguration when the schema's name cannot be used
   */
  Store open(DataSource dataSource, String schema);
}
