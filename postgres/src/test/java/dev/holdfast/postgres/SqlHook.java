package dev.holdfast.postgres;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.sql.DataSource;

/**
 * Does something just before the first statement that contains a text: what another session may do
 * at that moment. Or puts other text into statements: a step of the protocol taken out.
 */
final class SqlHook {
  private final String text;
  private final Action action;
  private final AtomicBoolean ran = new AtomicBoolean();
  private String replaced = "";
  private String by = "";

  @FunctionalInterface
  interface Action {
    void run() throws SQLException;
  }

  SqlHook(String text, Action action) {
    this.text = text;
    this.action = action;
  }

  /** Nothing happens in between, and every statement has this text in place of that. */
  static DataSource replacing(DataSource real, String that, String by) {
    return new SqlHook("", () -> {}).andReplacing(that, by).around(real);
  }

  SqlHook andReplacing(String that, String with) {
    this.replaced = that;
    this.by = with;
    return this;
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
              if (method.getName().equals("prepareStatement")) {
                String sql = (String) args[0];
                if (sql.contains(text) && ran.compareAndSet(false, true)) {
                  action.run();
                }
                args[0] = replaced.isEmpty() ? sql : sql.replace(replaced, by);
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
