package dev.holdfast.jta;

import com.arjuna.ats.arjuna.common.ObjectStoreEnvironmentBean;
import com.arjuna.ats.internal.arjuna.objectstore.jdbc.JDBCStore;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.StoreUnavailable;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import javax.sql.DataSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A log in a table of PostgreSQL, for processes whose disk does not outlive them, with a table for
 * each node identifier.
 *
 * <p>The node is held by an advisory lock of a session that is kept for it. A lease on the
 * database's time, as the relay has, must be fenced by what is written under it, and Narayana's
 * store writes what it likes; a session's lock has the property that counts, that a process which
 * is only paused keeps it. The server is told to look for a dead host soon, so that the lock of one
 * is free after about half a minute.
 */
final class DatabaseLog implements Log {
  private static final Logger log = LoggerFactory.getLogger(DatabaseLog.class);
  private static final int VALID_SECONDS = 5;

  /** Of Holdfast's advisory locks, those of coordinators' nodes. */
  private static final String LOCK =
      "select pg_try_advisory_lock(hashtext('holdfast.jta'), hashtext(?))";

  private final DataSource dataSource;
  private final Connection holder;
  private final String prefix;

  private DatabaseLog(DataSource dataSource, Connection holder, String node) {
    this.dataSource = dataSource;
    this.holder = holder;
    this.prefix = "holdfast_jta_" + node + "_";
  }

  static DatabaseLog acquire(DataSource dataSource, String node) {
    try {
      Connection connection = dataSource.getConnection();
      try {
        hold(connection, node);
        return new DatabaseLog(dataSource, connection, node);
      } catch (SQLException | RuntimeException e) {
        connection.close();
        throw e;
      }
    } catch (SQLException e) {
      throw new StoreUnavailable(
          "The database of the coordinator's log cannot be used (SQLState %s). Nothing was started."
              .formatted(e.getSQLState()),
          e);
    }
  }

  private static void hold(Connection connection, String node) throws SQLException {
    if (!connection.getMetaData().getDatabaseProductName().equals("PostgreSQL")) {
      throw new InvalidConfiguration(
          "The coordinator's log is to be kept in a database that is not PostgreSQL. Nothing was started: only there it can be held against another process of the same name. Name a directory.");
    }
    connection.setAutoCommit(true);
    try (Statement statement = connection.createStatement()) {
      try (ResultSet row = statement.executeQuery("select current_setting('synchronous_commit')")) {
        row.next();
        if (row.getString(1).equals("off")) {
          throw new InvalidConfiguration(
              "synchronous_commit is off on connections to the coordinator's log: a decision could be lost after it was acted on. Nothing was started. Set it to on for that user or pool.");
        }
      }
      statement.execute("set tcp_keepalives_idle = 10");
      statement.execute("set tcp_keepalives_interval = 5");
      statement.execute("set tcp_keepalives_count = 3");
    }
    try (PreparedStatement statement = connection.prepareStatement(LOCK)) {
      statement.setString(1, node);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        if (!row.getBoolean(1)) {
          throw new InvalidConfiguration(
              "Another process runs as the node '%s' on this log. Nothing was started: two coordinators would end each other's branches. Give each process a node identifier of its own; after a host died, its lock is free in half a minute."
                  .formatted(node));
        }
      }
    }
  }

  @Override
  public void configure(ObjectStoreEnvironmentBean store) {
    store.setObjectStoreType(JDBCStore.class.getName());
    store.setJdbcDataSource(dataSource);
    store.setTablePrefix(prefix);
    store.setCreateTable(true);
    store.setDropTable(false);
  }

  @Override
  public Object place() {
    return dataSource;
  }

  @Override
  public boolean isHeld() {
    try {
      return holder.isValid(VALID_SECONDS);
    } catch (SQLException e) {
      log.debug("The session that holds the node's lock cannot be asked.", e);
      return false;
    }
  }

  @Override
  public void close() {
    // A pool would keep the session, and with it the lock.
    try (Connection closing = holder;
        Statement statement = closing.createStatement()) {
      statement.execute("select pg_advisory_unlock_all()");
      statement.execute("reset tcp_keepalives_idle");
      statement.execute("reset tcp_keepalives_interval");
      statement.execute("reset tcp_keepalives_count");
    } catch (SQLException e) {
      log.debug("The session that held the node's lock is gone, and the lock with it.", e);
    }
  }
}
