package dev.holdfast.mariadb;

import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.ParticipantProvider;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/** Found by {@link dev.holdfast.twophase.Participant#of} through the service loader. */
public final class MariaDbParticipantProvider implements ParticipantProvider {
  @Override
  public boolean supports(Connection connection) throws SQLException {
    return connection.getMetaData().getDatabaseProductName().equals("MariaDB");
  }

  @Override
  public BranchStore open(DataSource dataSource, String schema) {
    return new MariaDbBranches(new Database(dataSource, new TablePrefix(schema)));
  }
}
