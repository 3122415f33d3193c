package dev.holdfast.crashtest;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.SQLFeatureNotSupportedException;
import java.sql.Statement;
import java.util.Deque;
import javax.sql.DataSource;

/** A database, past whatever is crashed. */
final class Direct {
  private Direct() {}

  /** Each connection a new one. */
  static DataSource to(String url) {
    return (DataSource)
        Proxy.newProxyInstance(
            Direct.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (self, method, args) -> {
              if (method.getName().equals("getConnection")) {
                return DriverManager.getConnection(url);
              }
              throw new SQLFeatureNotSupportedException(method.getName());
            });
  }

  /** Connections that are used again; whoever gave the place for them closes them. */
  static DataSource kept(String url, Deque<Connection> idle) {
    return (DataSource)
        Proxy.newProxyInstance(
            Direct.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (self, method, args) -> {
              if (method.getName().equals("getConnection")) {
                Connection before = idle.poll();
                return lent(before == null ? DriverManager.getConnection(url) : before, idle);
              }
              throw new SQLFeatureNotSupportedException(method.getName());
            });
  }

  private static Connection lent(Connection real, Deque<Connection> idle) {
    return (Connection)
        Proxy.newProxyInstance(
            Direct.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (self, method, args) -> {
              if (!method.getName().equals("close")) {
                try {
                  return method.invoke(real, args);
                } catch (InvocationTargetException e) {
                  throw e.getCause() == null ? e : e.getCause();
                }
              }
              if (!real.isClosed()) {
                if (!real.getAutoCommit()) {
                  real.rollback();
                  real.setAutoCommit(true);
                }
                idle.push(real);
              }
              return null;
            });
  }

  static void execute(String url, String sql) {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IllegalStateException("The suite's own statement failed: " + sql, e);
    }
  }

  /**
   * @param sql asks for one number, of a key
   */
  static int number(String url, String sql, String key) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        PreparedStatement statement = connection.prepareStatement(sql)) {
      statement.setString(1, key);
      try (ResultSet row = statement.executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    }
  }
}
