package dev.holdfast.spring;

import dev.holdfast.Message;
import dev.holdfast.Transaction;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The transaction as a listener gets it: what is published through it goes where {@link
 * TransactionalOutbox} puts it, so that what is rolled back to a savepoint takes its messages
 * along, whether Spring has set it ({@code NESTED}) or whoever works on the connection, as an inbox
 * does.
 */
final class ListenerTransaction implements Transaction {
  private final Transaction real;
  private final TransactionalOutbox outbox;
  private final Connection connection;

  ListenerTransaction(Transaction real, TransactionalOutbox outbox, TransactionBuffer buffer) {
    this.real = real;
    this.outbox = outbox;
    this.connection = watched(real.connection(), buffer);
  }

  private static Connection watched(Connection connection, TransactionBuffer buffer) {
    return (Connection)
        Proxy.newProxyInstance(
            ListenerTransaction.class.getClassLoader(),
            new Class<?>[] {Connection.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("equals")) {
                return arguments != null && proxy == arguments[0];
              }
              if (method.getName().equals("hashCode")) {
                return System.identityHashCode(proxy);
              }
              Object result;
              try {
                result = method.invoke(connection, arguments);
              } catch (InvocationTargetException e) {
                throw Objects.requireNonNullElse(e.getCause(), e);
              }
              if (method.getName().equals("setSavepoint")) {
                buffer.savepoint(result);
              } else if (method.getName().equals("rollback") && arguments != null) {
                buffer.savepointRollback(arguments[0]);
              }
              return result;
            });
  }

  @Override
  public Connection connection() {
    return connection;
  }

  @Override
  public String operationId() {
    return real.operationId();
  }

  @Override
  public void publish(Message message) {
    outbox.publish(List.of(message));
  }

  @Override
  public int update(String sql, @Nullable Object... parameters) throws SQLException {
    return real.update(sql, parameters);
  }
}
