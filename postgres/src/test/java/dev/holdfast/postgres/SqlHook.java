package dev.holdfast.postgres;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;

/**
 * Does something just before the first statement that contains a text: what another session may do
 * at that moment.
 */
final class SqlHook {
  private final String text;
  private final Action action;
  private final AtomicBoolean ran = new AtomicBoolean();

  @FunctionalInterface
  interface Action {
    void run() throws SQLException;
  }

  SqlHook(String text, Action action) {
    this.text = text;
    this.action = action;
  }

  boolean ran() {
    return ran.get();
  }

  DataSource around(DataSource real) {
    return proxy(DataSource.class, real);
  }

  private <T> T proxy(Class<T> type, T real) {
    return type.cast(
        Proxy.newProxyInstance(
            SqlHook.class.getClassLoader(),
            new Class<?>[] {type},
            (self, method, args) -> {
              if (method.getName().equals("prepareStatement")
                  && ((String) args[0]).contains(text)
                  && ran.compareAndSet(false, true)) {
                action.run();
              }
              try {
                Object result = method.invoke(real, args);
                return method.getName().equals("getConnection")
                    ? proxy(Connection.class, (Connection) result)
                    : result;
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            }));
  }
}
