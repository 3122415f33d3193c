package dev.holdfast.jta;

import dev.holdfast.StoreUnavailable;
import dev.holdfast.internal.Doorbell;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAResource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bounded pool of XA connections. The pools that there are hand out connections of a transaction
 * manager that they know, and enlist by themselves; here the branch has to be watched.
 */
final class JdbcLink implements Link<XaBranch> {
  private static final Logger log = LoggerFactory.getLogger(JdbcLink.class);
  private static final Duration WAIT = Duration.ofSeconds(30);

  /** What was idle for longer is asked whether it is still there. */
  private static final Duration TRUSTED = Duration.ofMillis(500);

  private static final int VALID_SECONDS = 5;

  private record Idle(XAConnection connection, long since) {}

  private final String name;
  private final XADataSource dataSource;
  private final Semaphore free;
  private final ConcurrentLinkedDeque<Idle> idle = new ConcurrentLinkedDeque<>();
  private volatile boolean closed;
  private @Nullable XAConnection recovery;
  private @Nullable Connection recoveryHandle;

  JdbcLink(String name, XADataSource dataSource, int bound) {
    this.name = name;
    this.dataSource = dataSource;
    this.free = new Semaphore(bound);
  }

  @Override
  public Lease<XaBranch> lease() {
    try {
      if (!free.tryAcquire(WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new StoreUnavailable(
            "All connections to the participant %s were in use for %s. Nothing was done there. Allow more, or find the transactions that do not end."
                .formatted(name, WAIT));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreUnavailable(
          "Interrupted while waiting for a connection to the participant " + name, e);
    }
    try {
      return connected();
    } catch (SQLException e) {
      free.release();
      throw new StoreUnavailable(
          "The participant %s cannot be reached (SQLState %s). Nothing was done there."
              .formatted(name, e.getSQLState()),
          e);
    } catch (RuntimeException e) {
      free.release();
      throw e;
    }
  }

  private JdbcLease connected() throws SQLException {
    for (Idle candidate = idle.pollFirst(); candidate != null; candidate = idle.pollFirst()) {
      XAConnection connection = candidate.connection();
      try {
        Connection handle = connection.getConnection();
        if (!Doorbell.hasPassed(TRUSTED, candidate.since()) || handle.isValid(VALID_SECONDS)) {
          return new JdbcLease(this, connection, handle);
        }
      } catch (SQLException e) {
        log.debug("A connection to {} broke while it was idle.", name, e);
      }
      close(connection);
    }
    XAConnection connection = dataSource.getXAConnection();
    try {
      return new JdbcLease(this, connection, connection.getConnection());
    } catch (SQLException e) {
      close(connection);
      throw e;
    }
  }

  void giveBack(XAConnection connection, boolean reusable) {
    if (reusable && !closed) {
      idle.addFirst(new Idle(connection, Doorbell.nanos()));
      if (closed) {
        closeIdle();
      }
    } else {
      close(connection);
    }
    free.release();
  }

  @Override
  public synchronized XAResource recovery() throws SQLException {
    XAConnection connection = recovery;
    Connection handle = recoveryHandle;
    if (connection == null || handle == null || !handle.isValid(VALID_SECONDS)) {
      if (connection != null) {
        close(connection);
      }
      connection = dataSource.getXAConnection();
      recovery = connection;
      recoveryHandle = connection.getConnection();
    }
    return connection.getXAResource();
  }

  private void closeIdle() {
    for (Idle each = idle.pollFirst(); each != null; each = idle.pollFirst()) {
      close(each.connection());
    }
  }

  private void close(XAConnection connection) {
    try {
      connection.close();
    } catch (SQLException e) {
      log.debug("A connection to {} could not be closed; it is given up.", name, e);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    closeIdle();
    XAConnection connection = recovery;
    if (connection != null) {
      close(connection);
    }
    recovery = null;
    recoveryHandle = null;
  }
}
