package dev.holdfast.internal.transaction;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A statement of a guarded connection, or what describes its database: it leads back to the guard,
 * takes no SQL that ends the transaction, and is of no use once that has ended. What {@code unwrap}
 * gives, and the rows of a query, are the driver's own.
 */
final class GuardedUse implements InvocationHandler {
  private final GuardedConnection guard;
  private final Connection connection;
  private final Object delegate;

  private GuardedUse(GuardedConnection guard, Connection connection, Object delegate) {
    this.guard = guard;
    this.connection = connection;
    this.delegate = delegate;
  }

  /**
   * @param connection as the callback has it
   */
  static <T> T of(Class<T> type, T delegate, GuardedConnection guard, Connection connection) {
    return type.cast(
        Proxy.newProxyInstance(
            GuardedUse.class.getClassLoader(),
            new Class<?>[] {type},
            new GuardedUse(guard, connection, Objects.requireNonNull(delegate))));
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args)
      throws Throwable {
    return switch (method.getName()) {
      case "close", "isClosed", "toString" -> call(delegate, method, args);
      case "equals" -> args != null && proxy == args[0];
      case "hashCode" -> System.identityHashCode(proxy);
      case "getConnection" -> {
        guard.requireOpen();
        yield connection;
      }
      case "execute", "executeQuery", "executeUpdate", "executeLargeUpdate", "addBatch" -> {
        guard.requireOpen();
        requireNoEnding(args);
        yield call(delegate, method, args);
      }
      default -> {
        guard.requireOpen();
        yield call(delegate, method, args);
      }
    };
  }

  /** That of a method that takes SQL, as all do that take a text here. */
  static void requireNoEnding(@Nullable Object @Nullable [] args) throws SQLException {
    String ending =
        args != null && args.length > 0 && args[0] instanceof String sql ? Ending.of(sql) : null;
    if (ending != null) {
      throw GuardedConnection.refused(ending);
    }
  }

  static @Nullable Object call(Object target, Method method, @Nullable Object @Nullable [] args)
      throws Throwable {
    try {
      return method.invoke(target, args);
    } catch (InvocationTargetException e) {
      throw Objects.requireNonNullElse(e.getCause(), e);
    }
  }
}
