package dev.holdfast.jta;

import dev.holdfast.internal.transaction.GuardedConnection;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.Objects;
import javax.sql.XAConnection;
import javax.transaction.xa.XAResource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A connection of the pool, in one transaction. */
final class JdbcLease implements Link.Lease<XaBranch>, XaBranch {
  private static final Logger log = LoggerFactory.getLogger(JdbcLease.class);

  /** Nothing is buffered beside an XA branch, and so nothing has to follow its savepoints. */
  private static final GuardedConnection.Buffer NOTHING =
      new GuardedConnection.Buffer() {
        @Override
        public int size() {
          return 0;
        }

        @Override
        public void truncate(int size) {
          // There is nothing.
        }

        @Override
        public void touched(@Nullable String sql) {
          // The branch was begun when it was handed out.
        }
      };

  private final JdbcLink link;
  private final XAConnection connection;
  private final Connection handle;
  private final GuardedConnection.Guarded guarded;

  JdbcLease(JdbcLink link, XAConnection connection, Connection handle) {
    this.link = link;
    this.connection = connection;
    this.handle = handle;
    this.guarded = GuardedConnection.guard(inBranch(handle), NOTHING);
  }

  /**
   * Two things that pgjdbc does not get right in a branch. It prepares a read-only branch and then
   * answers that there was nothing to prepare, so that it stays prepared for ever. And it says that
   * a branch is in autocommit mode, which whoever publishes on it has to refuse.
   */
  private static Connection inBranch(Connection delegate) {
    return (Connection)
        Proxy.newProxyInstance(
            JdbcLease.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, args) -> {
              if (method.getName().equals("setReadOnly") && Boolean.TRUE.equals(args[0])) {
                throw new SQLException(
                    "Connection.setReadOnly(true) is refused inside an XA transaction: drivers leave such branches prepared. Nothing was changed. A branch that only reads needs no setting.",
                    "25000");
              }
              if (method.getName().equals("getAutoCommit")) {
                return false;
              }
              try {
                return method.invoke(delegate, args);
              } catch (InvocationTargetException e) {
                throw Objects.requireNonNullElse(e.getCause(), e);
              }
            });
  }

  @Override
  public XaBranch handle() {
    return this;
  }

  @Override
  public XAResource resource() {
    try {
      return connection.getXAResource();
    } catch (SQLException e) {
      throw new dev.holdfast.StoreUnavailable(
          "A connection has no part to offer in an XA transaction. Nothing was done there.", e);
    }
  }

  @Override
  public Connection connection() {
    return guarded.connection();
  }

  @Override
  public int update(String sql, @Nullable Object... parameters) throws SQLException {
    try (PreparedStatement statement = connection().prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      return statement.executeUpdate();
    }
  }

  @Override
  public void end(boolean reusable) {
    guarded.guard().end();
    boolean clean = reusable;
    if (clean) {
      try {
        handle.close();
      } catch (SQLException e) {
        log.debug("A connection could not be given back; it is closed.", e);
        clean = false;
      }
    }
    link.giveBack(connection, clean);
  }
}
