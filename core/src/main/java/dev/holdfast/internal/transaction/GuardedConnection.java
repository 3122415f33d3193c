package dev.holdfast.internal.transaction;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.DatabaseMetaData;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * A connection lent to a callback: it reports savepoints and refuses to end the transaction or to
 * outlive it. A proxy, since {@link Connection} has some sixty methods of which ten matter here.
 */
public final class GuardedConnection implements InvocationHandler {

  /** Keeps what is buffered beside the transaction in step with its savepoints. */
  public interface Buffer {
    int size();

    void truncate(int size);

    /** A statement is being made, of this text where that is known by now. */
    void touched(@Nullable String sql);
  }

  private record Mark(Savepoint savepoint, int size) {}

  private final Connection delegate;
  private final Buffer buffer;
  private final Deque<Mark> marks = new ArrayDeque<>();
  private boolean ended;

  private GuardedConnection(Connection delegate, Buffer buffer) {
    this.delegate = delegate;
    this.buffer = buffer;
  }

  /** The guard and the connection it guards. */
  public record Guarded(Connection connection, GuardedConnection guard) {}

  public static Guarded guard(Connection delegate, Buffer buffer) {
    GuardedConnection guard = new GuardedConnection(delegate, buffer);
    Connection proxy =
        (Connection)
            Proxy.newProxyInstance(
                GuardedConnection.class.getClassLoader(), new Class<?>[] {Connection.class}, guard);
    return new Guarded(proxy, guard);
  }

  /** The callback is over: every later use fails. */
  public void end() {
    ended = true;
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args)
      throws Throwable {
    String name = method.getName();
    if (!name.equals("isClosed") && !name.equals("toString")) {
      requireOpen();
    }
    return switch (name) {
      case "commit", "close", "setAutoCommit", "abort" -> throw refused("Connection." + name);
      case "rollback" -> {
        if (args == null) {
          throw refused("Connection.rollback");
        }
        yield rollbackTo((Savepoint) Objects.requireNonNull(args[0]));
      }
      case "prepareStatement" -> prepared(PreparedStatement.class, proxy, method, args);
      case "prepareCall" -> prepared(CallableStatement.class, proxy, method, args);
      case "createStatement" -> {
        buffer.touched(null);
        yield guarded(Statement.class, proxy, method, args);
      }
      case "getMetaData" -> guarded(DatabaseMetaData.class, proxy, method, args);
      case "unwrap" -> {
        buffer.touched(null);
        yield call(method, args);
      }
      case "setSavepoint" -> {
        Savepoint savepoint = (Savepoint) Objects.requireNonNull(call(method, args));
        marks.push(new Mark(savepoint, buffer.size()));
        yield savepoint;
      }
      case "isClosed" -> ended || delegate.isClosed();
      case "equals" -> args != null && proxy == args[0];
      case "hashCode" -> System.identityHashCode(proxy);
      default -> call(method, args);
    };
  }

  private @Nullable Object rollbackTo(Savepoint savepoint) throws SQLException {
    delegate.rollback(savepoint);
    // The savepoint itself survives a rollback to it; those set after it do not.
    for (Iterator<Mark> newestFirst = marks.iterator(); newestFirst.hasNext(); ) {
      Mark mark = newestFirst.next();
      if (mark.savepoint() == savepoint) {
        buffer.truncate(mark.size());
        return null;
      }
      newestFirst.remove();
    }
    return null;
  }

  private Object prepared(
      Class<? extends PreparedStatement> type,
      Object proxy,
      Method method,
      @Nullable Object @Nullable [] args)
      throws Throwable {
    buffer.touched(args == null ? null : (String) args[0]);
    GuardedUse.requireNoEnding(args);
    return guarded(type, proxy, method, args);
  }

  private <T> T guarded(
      Class<T> type, Object proxy, Method method, @Nullable Object @Nullable [] args)
      throws Throwable {
    T made = type.cast(Objects.requireNonNull(call(method, args)));
    return GuardedUse.of(type, made, this, (Connection) proxy);
  }

  private @Nullable Object call(Method method, @Nullable Object @Nullable [] args)
      throws Throwable {
    return GuardedUse.call(delegate, method, args);
  }

  void requireOpen() throws SQLException {
    if (ended) {
      throw new SQLException(
          "The transaction that this connection belonged to has ended; use it only inside the"
              + " callback. Nothing was done.",
          "25000");
    }
  }

  static SQLException refused(String what) {
    return new SQLException(
        "The transaction is ended by Holdfast, so "
            + what
            + " is refused inside its callback. To roll back, throw; to commit, return.",
        "25000");
  }
}
