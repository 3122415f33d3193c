package dev.holdfast.postgres;

import dev.holdfast.crashtest.StoreConformance;
import dev.holdfast.outbox.store.Store;
import javax.sql.DataSource;

final class PostgresStoreTest extends StoreConformance {
  @Override
  protected Store newStore(DataSource dataSource) {
    return PostgresStore.open(dataSource, TestDatabase.newSchema());
  }

  @Override
  protected DataSource newDataSource() {
    return TestDatabase.dataSource();
  }
}
