package dev.holdfast.kafka;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Objects;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** A database whose statements are changed on their way: a step of the protocol taken out. */
final class RewrittenSql {
  private final Rewrite rewrite;

  /** Makes the statement that is run of the one that was meant. */
  @FunctionalInterface
  interface Rewrite {
    String apply(Connection connection, String sql) throws SQLException;
  }

  private RewrittenSql(Rewrite rewrite) {
    this.rewrite = rewrite;
  }

  static DataSource of(DataSource real, Rewrite rewrite) {
    RewrittenSql rewritten = new RewrittenSql(rewrite);
    return rewritten.proxy(DataSource.class, real, null);
  }

  private <T> T proxy(Class<T> type, T real, @Nullable Connection on) {
    return type.cast(
        Proxy.newProxyInstance(
            RewrittenSql.class.getClassLoader(),
            new Class<?>[] {type},
            (self, method, args) -> {
              if (args != null
                  && args.length > 0
                  && args[0] instanceof String sql
                  && (method.getName().startsWith("execute")
                      || method.getName().startsWith("prepare"))) {
                args[0] = rewrite.apply(Objects.requireNonNull(on), sql);
              }
              return further(method.getName(), invoke(real, method, args), on);
            }));
  }

  private Object further(String method, Object result, @Nullable Connection on) {
    return switch (method) {
      case "getConnection" -> proxy(Connection.class, (Connection) result, (Connection) result);
      case "createStatement" -> proxy(Statement.class, (Statement) result, on);
      default -> result;
    };
  }

  private static Object invoke(Object real, java.lang.reflect.Method method, Object[] args)
      throws Throwable {
    try {
      return method.invoke(real, args);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }
}
