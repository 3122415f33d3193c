package dev.holdfast.internal.twophase;

import dev.holdfast.StoreUnavailable;
import java.sql.Connection;
import java.sql.SQLException;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection of the deciding database for one attempt, which is rolled back unless it is done.
 */
final class Lent implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Lent.class);

  private final Connection connection;
  private boolean done;

  private Lent(Connection connection) {
    this.connection = connection;
  }

  static Lent from(DataSource dataSource) {
    try {
      return new Lent(dataSource.getConnection());
    } catch (SQLException e) {
      throw new StoreUnavailable(
          "No connection to the database could be had ("
              + e.getMessage()
              + "). Nothing was begun. Check that the server runs and that the pool is not"
              + " exhausted.",
          e);
    }
  }

  Connection connection() {
    return connection;
  }

  /** Its transaction is committed. */
  void done() {
    done = true;
  }

  @Override
  public void close() {
    try (connection) {
      if (!done) {
        connection.rollback();
      }
      connection.setAutoCommit(true);
    } catch (SQLException e) {
      // The exception under way says more; a broken connection is discarded by its pool.
      log.debug("A connection was not given back cleanly", e);
    }
  }
}
