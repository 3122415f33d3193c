package dev.holdfast.crashtest.resource;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A statement of a {@link JdbcConnection}: tells it what is executed. */
final class JdbcStatement implements InvocationHandler {
  private final JdbcConnection connection;
  private final Object connectionProxy;
  private final Statement physical;
  private final String prepared;
  private final List<String> batch = new ArrayList<>();

  JdbcStatement(
      JdbcConnection connection, Object connectionProxy, Statement physical, String prepared) {
    this.connection = connection;
    this.connectionProxy = connectionProxy;
    this.physical = physical;
    this.prepared = prepared;
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args)
      throws SQLException {
    Object identity = Reflect.identity(proxy, "statement: " + prepared, method, args);
    if (identity != null) {
      return identity;
    }
    return switch (method.getName()) {
      case "close", "isClosed" -> call(method, args);
      case "getConnection" -> connectionProxy;
      case "isWrapperFor" ->
          args != null && args[0] instanceof Class<?> type && type.isInstance(physical);
      default -> {
        connection.resource().hook().check();
        yield use(method, args);
      }
    };
  }

  private @Nullable Object use(Method method, @Nullable Object @Nullable [] args)
      throws SQLException {
    return switch (method.getName()) {
      case "execute", "executeQuery", "executeUpdate", "executeLargeUpdate" ->
          connection.run(List.of(text(args)), () -> Optional.ofNullable(call(method, args)));
      case "executeBatch", "executeLargeBatch" -> {
        List<String> texts = List.copyOf(batch);
        batch.clear();
        yield connection.run(texts, () -> Optional.ofNullable(call(method, args)));
      }
      case "addBatch" -> {
        batch.add(text(args));
        yield call(method, args);
      }
      case "clearBatch" -> {
        batch.clear();
        yield call(method, args);
      }
      default -> call(method, args);
    };
  }

  private String text(@Nullable Object @Nullable [] args) {
    return args != null && args.length > 0 && args[0] instanceof String sql ? sql : prepared;
  }

  private @Nullable Object call(Method method, @Nullable Object @Nullable [] args)
      throws SQLException {
    return Reflect.call(SQLException.class, physical, method, args);
  }
}
