package dev.holdfast.postgres.twophase;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A deciding database with a step of the protocol taken out: the decision is written last, in the
 * same transaction still, but when the others have prepared.
 */
final class LateDecision {
  private static final Pattern DECIDE = Pattern.compile("select \\S+\\.decide\\(.*\\)");
  private static final String SERIAL_ALONE =
      "select pg_current_xact_id()::text::bigint"
          + " from (select ?::bigint, ?::text[], ?::text, ?::integer, ?::boolean) as later";

  private final Connection real;
  private @Nullable String meant;
  private final List<Setting> settings = new ArrayList<>();

  private record Setting(Method setter, Object[] args) {}

  private LateDecision(Connection real) {
    this.real = real;
  }

  static DataSource in(DataSource real) {
    return (DataSource)
        Proxy.newProxyInstance(
            LateDecision.class.getClassLoader(),
            new Class<?>[] {DataSource.class},
            (self, method, args) -> {
              Object result = invoke(real, method, args);
              return result instanceof Connection connection
                  ? new LateDecision(connection).proxy()
                  : result;
            });
  }

  private Connection proxy() {
    return (Connection)
        Proxy.newProxyInstance(
            LateDecision.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (self, method, args) -> {
              if (method.getName().equals("commit")) {
                decide();
              }
              if (method.getName().equals("prepareStatement")
                  && args[0] instanceof String sql
                  && DECIDE.matcher(sql).matches()) {
                meant = sql;
                args[0] = SERIAL_ALONE;
                return recorded((PreparedStatement) invoke(real, method, args));
              }
              return invoke(real, method, args);
            });
  }

  private PreparedStatement recorded(PreparedStatement statement) {
    settings.clear();
    return (PreparedStatement)
        Proxy.newProxyInstance(
            LateDecision.class.getClassLoader(),
            new Class<?>[] {PreparedStatement.class},
            (self, method, args) -> {
              if (method.getName().startsWith("set")) {
                settings.add(new Setting(method, args));
              }
              return invoke(statement, method, args);
            });
  }

  private void decide() throws Throwable {
    String sql = meant;
    meant = null;
    if (sql == null) {
      return;
    }
    try (PreparedStatement statement = real.prepareStatement(sql)) {
      for (Setting setting : settings) {
        invoke(statement, setting.setter(), setting.args());
      }
      statement.execute();
    }
  }

  private static Object invoke(Object target, Method method, Object[] args) throws Throwable {
    try {
      return method.invoke(target, args);
    } catch (InvocationTargetException e) {
      throw e.getCause() == null ? e : e.getCause();
    }
  }
}
