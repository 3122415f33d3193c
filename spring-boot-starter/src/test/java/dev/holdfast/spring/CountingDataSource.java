package dev.holdfast.spring;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import javax.sql.DataSource;
import org.springframework.jdbc.datasource.AbstractDataSource;

/** Remembers what is sent to the database, by others than the relay: statements, and commits. */
final class CountingDataSource extends AbstractDataSource {
  private final DataSource real;
  final List<String> sent = Collections.synchronizedList(new ArrayList<>());

  CountingDataSource(DataSource real) {
    this.real = real;
  }

  @Override
  public Connection getConnection() throws SQLException {
    return (Connection) watch(Connection.class, real.getConnection(), "");
  }

  @Override
  public Connection getConnection(String user, String password) throws SQLException {
    return getConnection();
  }

  private Object watch(Class<?> type, Object target, String sql) {
    InvocationHandler handler =
        (proxy, method, arguments) -> {
          String name = method.getName();
          String text = arguments != null && arguments[0] instanceof String s ? s : sql;
          boolean sends =
              (target instanceof Statement && name.startsWith("execute")) || name.equals("commit");
          if (sends && !Thread.currentThread().getName().startsWith("holdfast-")) {
            sent.add(name.equals("commit") ? name : text);
          }
          try {
            Object result = method.invoke(target, arguments);
            return result instanceof Statement statement && !(target instanceof Statement)
                ? watch(method.getReturnType(), statement, text)
                : result;
          } catch (InvocationTargetException e) {
            throw e.getCause();
          }
        };
    return Proxy.newProxyInstance(getClass().getClassLoader(), new Class<?>[] {type}, handler);
  }
}
