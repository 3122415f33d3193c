package dev.holdfast.internal.twophase;

import dev.holdfast.Isolation;
import dev.holdfast.NoTransaction;
import dev.holdfast.StaleVersion;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.internal.transaction.GuardedConnection;
import dev.holdfast.internal.transaction.Touch;
import dev.holdfast.twophase.Branch;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.Gid;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One operation's branch: nothing until it is used, then a connection with a transaction on it. */
final class OpenBranch implements Branch, GuardedConnection.Buffer {
  private static final Logger log = LoggerFactory.getLogger(OpenBranch.class);

  /** How a branch is named when it begins, where it has to be. */
  @FunctionalInterface
  interface Naming {
    Gid name() throws SQLException;
  }

  private final Participant participant;
  private final String operationId;
  private final Isolation isolation;
  private final Duration lockTimeout;
  private final Naming naming;

  /** What is on the connection. */
  private enum Held {
    /** Nothing. */
    NOTHING,
    /** A transaction, or the remains of one that failed. */
    WORK,
    /** A prepared branch that perhaps only this connection can end. */
    PREPARED
  }

  private @Nullable Connection connection;
  private Held held = Held.NOTHING;
  private GuardedConnection.@Nullable Guarded guarded;
  private @Nullable Gid gid;
  private Touch touch = Touch.NOTHING;
  private boolean ended;

  OpenBranch(
      Participant participant,
      String operationId,
      Isolation isolation,
      Duration lockTimeout,
      Naming naming) {
    this.participant = participant;
    this.operationId = operationId;
    this.isolation = isolation;
    this.lockTimeout = lockTimeout;
    this.naming = naming;
  }

  Participant participant() {
    return participant;
  }

  BranchStore store() {
    return participant.branches();
  }

  @Nullable Gid gid() {
    return gid;
  }

  void named(Gid name) {
    gid = name;
  }

  @Override
  public Connection connection() throws SQLException {
    if (ended) {
      throw new NoTransaction(
          "The operation has ended, so its branch at "
              + participant
              + " cannot be used; nothing was done. Use it only inside the callback.");
    }
    GuardedConnection.Guarded open = guarded;
    if (open == null) {
      open = open();
      guarded = open;
    }
    return open.connection();
  }

  private GuardedConnection.Guarded open() throws SQLException {
    if (connection != null) {
      throw new NoTransaction(
          "The branch at " + participant + " could not be begun before, so it cannot be used.");
    }
    if (store().namesAtBegin()) {
      gid = naming.name();
    }
    Connection fresh;
    try {
      fresh = store().connect();
    } catch (SQLException e) {
      throw new StoreUnavailable(
          "No connection to participant "
              + participant
              + " could be had ("
              + e.getMessage()
              + "). Nothing is committed anywhere. Check that it runs and that its pool is not"
              + " exhausted.",
          e);
    }
    connection = fresh;
    held = Held.WORK;
    try {
      store().begin(fresh, gid, isolation, lockTimeout);
    } catch (SQLException e) {
      throw new BranchFailure(participant, "begin its branch", e);
    }
    return GuardedConnection.guard(fresh, this);
  }

  @Override
  public String operationId() {
    return operationId;
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

  @Override
  public void updateExpected(String sql, @Nullable Object... parameters) throws SQLException {
    if (update(sql, parameters) == 0) {
      throw StaleVersion.of(sql);
    }
  }

  /** The callback has returned. */
  void end() {
    ended = true;
    GuardedConnection.Guarded open = guarded;
    if (open != null) {
      open.guard().end();
    }
  }

  boolean isUsed() {
    return connection != null;
  }

  /** Whether it has to be prepared. Asks the database where what was seen leaves it open. */
  boolean hasWritten() throws SQLException {
    return switch (touch) {
      case NOTHING -> false;
      case QUERIES -> store().hasWritten(open(connection));
      case ANYTHING -> true;
    };
  }

  /** The connection, for the protocol's own statements. */
  Connection raw() {
    return open(connection);
  }

  private static Connection open(@Nullable Connection connection) {
    if (connection == null) {
      throw new IllegalStateException("The branch was never begun.");
    }
    return connection;
  }

  /** Has it prepared. When this throws it is open whether it is. */
  void prepare(UUID claim) throws SQLException {
    store().prepare(raw(), Objects.requireNonNull(gid), operationId, claim);
    held = Held.PREPARED;
  }

  /** The branch has been committed or rolled back on its connection. */
  void ended() {
    held = Held.NOTHING;
  }

  /** Undoes what is not prepared; a connection that cannot is closed, which does the same. */
  void undo() {
    if (held != Held.WORK) {
      return;
    }
    try {
      store().rollback(raw(), gid);
      held = Held.NOTHING;
    } catch (SQLException e) {
      log.debug("The branch at {} was not rolled back by its connection", participant, e);
    }
  }

  /** Gives the connection back, or ends it when others could not end the branch otherwise. */
  void close() {
    Connection open = connection;
    connection = null;
    if (open == null) {
      return;
    }
    try (open) {
      if (held == Held.WORK || (held == Held.PREPARED && store().endsWhereItWasPrepared())) {
        open.abort(Runnable::run);
      }
    } catch (SQLException e) {
      log.debug("A connection to {} was not given back cleanly", participant, e);
    }
  }

  @Override
  public int size() {
    return 0;
  }

  @Override
  public void truncate(int size) {
    // Nothing is kept beside the branch.
  }

  @Override
  public void touched(@Nullable String sql) {
    touch = touch.and(sql);
  }
}
