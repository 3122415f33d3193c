package dev.holdfast.postgres;

import dev.holdfast.outbox.store.Store;
import dev.holdfast.outbox.store.StoreProvider;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;

/** Found by {@link dev.holdfast.Holdfast#on} through the service loader. */
public final class PostgresStoreProvider implements StoreProvider {
  @Override
  public boolean supports(Connection connection) throws SQLException {
    return connection.getMetaData().getDatabaseProductName().equals("PostgreSQL");
  }

  @Override
  public Store open(DataSource dataSource, String schema) {
    return PostgresStore.open(dataSource, schema);
  }
}
