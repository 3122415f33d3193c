package dev.holdfast.internal.transaction;

import dev.holdfast.InvalidMessage;
import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import dev.holdfast.Transaction;
import dev.holdfast.outbox.OutboxListener;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A transaction that keeps its messages until just before the commit. */
public final class BufferedTransaction implements Transaction, GuardedConnection.Buffer {
  /** A bound on what one transaction may hold in memory. */
  static final int MAX_MESSAGES = 100_000;

  private final GuardedConnection.Guarded guarded;
  private final String operationId;
  private final OutboxListener listener;
  private final List<Message> messages = new ArrayList<>();
  private final Set<Runnable> behind = new LinkedHashSet<>();
  private Touch touch = Touch.NOTHING;
  private boolean ended;

  public BufferedTransaction(Connection connection, String operationId, OutboxListener listener) {
    this.listener = listener;
    this.guarded = GuardedConnection.guard(connection, this);
    this.operationId = operationId;
  }

  @Override
  public Connection connection() {
    return guarded.connection();
  }

  @Override
  public String operationId() {
    return operationId;
  }

  @Override
  public void publish(Message message) {
    if (ended) {
      throw new NoTransaction(
          "The transaction has ended, so "
              + message
              + " was not recorded. Publish inside the callback.");
    }
    if (messages.size() == MAX_MESSAGES) {
      throw new InvalidMessage(
          "The transaction holds %,d messages already, which is the bound; %s was not recorded. Split the work into several transactions."
              .formatted(MAX_MESSAGES, message));
    }
    messages.add(listener.publishing(message));
  }

  @Override
  public int update(String sql, @Nullable Object... parameters) throws SQLException {
    try (PreparedStatement statement = connection().prepareStatement(sql)) {
      for (int i = 0; i < parameters.length; i++) {
        statement.setObject(i + 1, parameters[i]);
      }
      return statement.executeUpdate();
    }
  }

  /**
   * Something to be done when this is committed, once; a hint, which is lost where somebody else
   * ends the transaction or the process does.
   */
  public void behindCommit(Runnable hint) {
    behind.add(hint);
  }

  /** It is committed. */
  public void committed() {
    behind.forEach(Runnable::run);
  }

  /** The callback has returned: nothing can be added any more. */
  public List<Message> end() {
    ended = true;
    guarded.guard().end();
    return messages;
  }

  @Override
  public int size() {
    return messages.size();
  }

  @Override
  public void truncate(int size) {
    messages.subList(size, messages.size()).clear();
  }

  @Override
  public void touched(@Nullable String sql) {
    touch = touch.and(sql);
  }

  /** What the callback has done with the connection so far. */
  public Touch touch() {
    return touch;
  }
}
