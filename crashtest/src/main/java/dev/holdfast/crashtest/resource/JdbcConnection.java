package dev.holdfast.crashtest.resource;

import dev.holdfast.crashtest.resource.Sql.Ending;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.sql.CallableStatement;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * One physical connection and the transaction on it. A connection is used by one thread at a time,
 * as JDBC wants it; only the fence comes from another, and touches the physical one alone.
 */
final class JdbcConnection implements InvocationHandler {
  private final JdbcResource resource;
  private final Connection physical;

  /** What the open transaction has written; it takes effect with the next commit. */
  private final List<Change> pending = new ArrayList<>();

  /** A transaction that was opened by its text, in autocommit mode. */
  private boolean begun;

  private JdbcConnection(JdbcResource resource, Connection physical) {
    this.resource = resource;
    this.physical = physical;
  }

  static Connection wrap(JdbcResource resource, Connection physical) {
    return Reflect.proxy(Connection.class, new JdbcConnection(resource, physical));
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args)
      throws SQLException {
    Object identity = Reflect.identity(proxy, "connection to " + resource.name(), method, args);
    if (identity != null) {
      return identity;
    }
    return switch (method.getName()) {
      case "isClosed" -> resource.hook().isDead() || physical.isClosed();
      case "isValid" -> !resource.hook().isDead() && Boolean.TRUE.equals(call(method, args));
      case "close", "abort" -> {
        resource.closed(physical);
        yield call(method, args);
      }
      case "isWrapperFor" -> type(args).isInstance(proxy) || physical.isWrapperFor(type(args));
      case "unwrap" -> type(args).isInstance(proxy) ? proxy : physical.unwrap(type(args));
      default -> {
        resource.hook().check();
        yield use(proxy, method, args);
      }
    };
  }

  private @Nullable Object use(Object proxy, Method method, @Nullable Object @Nullable [] args)
      throws SQLException {
    return switch (method.getName()) {
      case "commit" -> commit("commit", List.of(), answer(method, args));
      case "setAutoCommit" -> setAutoCommit(method, args);
      case "rollback" -> {
        if (args == null || !(args[0] instanceof Savepoint)) {
          pending.clear();
        }
        yield call(method, args);
      }
      case "createStatement" -> statement(proxy, Statement.class, "", method, args);
      case "prepareStatement" -> statement(proxy, PreparedStatement.class, sql(args), method, args);
      case "prepareCall" -> statement(proxy, CallableStatement.class, sql(args), method, args);
      default -> call(method, args);
    };
  }

  /** Setting autocommit commits what is open. */
  private @Nullable Object setAutoCommit(Method method, @Nullable Object @Nullable [] args)
      throws SQLException {
    boolean on = args != null && Boolean.TRUE.equals(args[0]);
    if (on && !physical.getAutoCommit()) {
      return commit("commit by setAutoCommit", List.of(), answer(method, args));
    }
    return call(method, args);
  }

  private Object statement(
      Object proxy, Class<?> type, String sql, Method method, @Nullable Object @Nullable [] args)
      throws SQLException {
    Object statement = call(method, args);
    if (statement == null) {
      throw new SQLException("The driver returned no statement.");
    }
    return Reflect.proxy(type, new JdbcStatement(this, proxy, (Statement) statement, sql));
  }

  /** Runs statements, whose text may end the transaction, or which may be one themselves. */
  @Nullable Object run(List<String> texts, Wire.Request<Optional<Object>, SQLException> execution)
      throws SQLException {
    Site site = Site.current();
    List<Change> changes = new ArrayList<>();
    Ending ending = Ending.NONE;
    for (String text : texts) {
      Sql sql = Sql.of(text);
      if (sql.writes()) {
        changes.add(new Change(sql.text(), site));
      }
      begun |= sql.begins();
      Ending own = endingHere(sql.ending());
      if (own.isSecondPhase()) {
        changes.add(new Change(sql.text(), site));
      }
      ending = own == Ending.NONE ? ending : own;
    }
    if (ending.isSecondPhase()) {
      return point(ending.action(), changes, execution);
    }
    boolean alone = physical.getAutoCommit() && !begun;
    if (ending.keeps() || (alone && !changes.isEmpty())) {
      begun = false;
      return commit(ending.keeps() ? ending.action() : "autocommit", changes, execution);
    }
    Object result = resource.wire().request(execution).orElse(null);
    pending.addAll(changes);
    if (ending == Ending.ROLLBACK) {
      pending.clear();
      begun = false;
    }
    return result;
  }

  /** MariaDB's XA ROLLBACK is one of a branch at work, where the connection has one. */
  private Ending endingHere(Ending ending) {
    return ending == Ending.ROLLBACK_PREPARED && begun ? Ending.ROLLBACK : ending;
  }

  private @Nullable Object commit(
      String action, List<Change> last, Wire.Request<Optional<Object>, SQLException> request)
      throws SQLException {
    List<Change> changes = new ArrayList<>(pending);
    changes.addAll(last);
    pending.clear();
    if (changes.isEmpty()) {
      return resource.wire().request(request).orElse(null);
    }
    return point(action, changes, request);
  }

  private @Nullable Object point(
      String action, List<Change> changes, Wire.Request<Optional<Object>, SQLException> request)
      throws SQLException {
    // A loop writes as often as there is work; that must not make another point of it.
    Set<String> distinct = new LinkedHashSet<>();
    changes.forEach(change -> distinct.add(change.what()));
    return resource
        .hook()
        .commit(
            new Commit(resource.name(), action, String.join("; ", distinct), changes),
            new OverWire<>(resource.wire(), request))
        .orElse(null);
  }

  private @Nullable Object call(Method method, @Nullable Object @Nullable [] args)
      throws SQLException {
    return Reflect.call(SQLException.class, physical, method, args);
  }

  private Wire.Request<Optional<Object>, SQLException> answer(
      Method method, @Nullable Object @Nullable [] args) {
    return () -> Optional.ofNullable(call(method, args));
  }

  JdbcResource resource() {
    return resource;
  }

  private static Class<?> type(@Nullable Object @Nullable [] args) {
    return args != null && args[0] instanceof Class<?> type ? type : Void.class;
  }

  private static String sql(@Nullable Object @Nullable [] args) {
    return args == null ? "" : String.valueOf(args[0]);
  }
}
