package dev.holdfast.twophase.store;

import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/** Finds the participant's side for a database; implementations are listed as services. */
public interface ParticipantProvider {

  /** Whether this provider knows the database behind the connection. */
  boolean supports(Connection connection) throws SQLException;

  /**
   * @param schema the schema that holds Holdfast's tables there, or where there are no schemas,
   *     what their names begin with
   * @throws dev.holdfast.InvalidConfiguration when the name cannot be used
   */
  BranchStore open(DataSource dataSource, String schema);
}
