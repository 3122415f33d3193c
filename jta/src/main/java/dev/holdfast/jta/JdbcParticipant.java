package dev.holdfast.jta;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.StoreUnavailable;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.XAConnection;
import javax.sql.XADataSource;

/** A database with an {@code XADataSource}. */
final class JdbcParticipant extends XaParticipant<XaBranch> {
  private final XADataSource dataSource;

  JdbcParticipant(String name, XADataSource dataSource) {
    super(name);
    this.dataSource = dataSource;
  }

  @Override
  Link<XaBranch> connect(int bound) {
    try {
      XAConnection connection = dataSource.getXAConnection();
      try {
        check(connection.getConnection());
      } finally {
        connection.close();
      }
    } catch (SQLException e) {
      throw new StoreUnavailable(
          "The participant %s cannot be used (SQLState %s). Nothing was started: recovery has to reach all of them. Start it, or take it out of the participants."
              .formatted(name(), e.getSQLState()),
          e);
    }
    return new JdbcLink(name(), dataSource, bound);
  }

  private void check(Connection connection) throws SQLException {
    if (!connection.getMetaData().getDatabaseProductName().equals("PostgreSQL")) {
      return;
    }
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("select current_setting('max_prepared_transactions')::int")) {
      row.next();
      if (row.getInt(1) == 0) {
        throw new InvalidConfiguration(
            "max_prepared_transactions is 0 at the participant %s, so that PostgreSQL refuses to prepare anything. Nothing was started. Set it to the number of connections that may prepare at a time, and restart that server."
                .formatted(name()));
      }
    }
  }
}
