package dev.holdfast.postgres;

import dev.holdfast.HoldfastException;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.store.WakeUps;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import org.postgresql.PGConnection;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * LISTEN and NOTIFY. Behind a pooler in transaction mode nothing is heard, and polling alone finds
 * what there is.
 */
final class PostgresWakeUps implements WakeUps {
  private static final Logger log = LoggerFactory.getLogger(PostgresWakeUps.class);
  private static final int LISTEN_MILLIS = 500;
  private static final Duration LONGEST_CLOSE = Duration.ofSeconds(2);
  private static final Duration RETRY = Duration.ofSeconds(5);

  private final Database database;

  PostgresWakeUps(Database database) {
    this.database = database;
  }

  private String channel() {
    return database.schema().value() + "_wakeup";
  }

  @Override
  public void send() {
    try {
      database.write(
          "send a wake-up",
          connection -> {
            database.call(connection, "select pg_notify(?, '')", channel());
          });
    } catch (HoldfastException e) {
      log.debug("A wake-up was not sent; the relay polls", e);
    }
  }

  @Override
  public AutoCloseable listen(Runnable listener) {
    Listening listening = new Listening(listener);
    listening.thread.start();
    return listening;
  }

  private final class Listening implements Runnable, AutoCloseable {
    private final Runnable listener;
    private final Doorbell doorbell = new Doorbell();
    private final Thread thread = new Thread(this, "holdfast-listen");
    private volatile boolean closed;

    Listening(Runnable listener) {
      this.listener = listener;
      thread.setDaemon(true);
    }

    @Override
    public void run() {
      try {
        while (!closed) {
          try {
            listen();
          } catch (SQLException | RuntimeException e) {
            log.debug("Listening for wake-ups failed; the relay polls meanwhile", e);
            doorbell.await(RETRY);
          }
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    private void listen() throws SQLException, InterruptedException {
      try (Connection connection = database.dataSource().getConnection()) {
        if (!connection.isWrapperFor(PGConnection.class)) {
          doorbell.await(Duration.ofHours(1));
          return;
        }
        connection.setAutoCommit(true);
        PGConnection postgres = connection.unwrap(PGConnection.class);
        try (Statement statement = connection.createStatement()) {
          statement.execute("listen " + channel());
          while (!closed) {
            var notifications = postgres.getNotifications(LISTEN_MILLIS);
            if (notifications != null && notifications.length > 0) {
              listener.run();
            }
          }
          statement.execute("unlisten " + channel());
        }
      }
    }

    /**
     * Waits for the end, since whoever closes this may close the pool next. The driver cannot be
     * interrupted while it listens, but it hears a wake-up, which costs other processes a look.
     * That is sent beside the wait, which must not become longer where there is no connection to be
     * had.
     */
    @Override
    public void close() throws InterruptedException {
      closed = true;
      doorbell.ring();
      Thread waking = new Thread(PostgresWakeUps.this::send, "holdfast-listen-end");
      waking.setDaemon(true);
      waking.start();
      try {
        thread.join(LONGEST_CLOSE.toMillis());
      } finally {
        waking.interrupt();
        waking.join(LISTEN_MILLIS);
      }
    }
  }
}
