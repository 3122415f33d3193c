package dev.holdfast.crashtest;

import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.Stepper;
import dev.holdfast.TransactionBody;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.ParkedMessage;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import javax.sql.DataSource;

/** One life of a process that records messages and delivers them, for {@link OutboxConformance}. */
final class OutboxProcess implements AutoCloseable {
  static final String CHANNEL = "conformance";
  static final String TABLE = "conformance_order";

  private static final Duration LONGEST_WAIT = Duration.ofSeconds(25);

  private final Holdfast holdfast;
  private final DataSource dataSource;
  private volatile boolean closed;

  /** Whether the driver has found nothing to do, and does nothing. */
  private volatile boolean resting;

  OutboxProcess(Holdfast holdfast, DataSource dataSource) {
    this.holdfast = holdfast;
    this.dataSource = dataSource;
  }

  Holdfast holdfast() {
    return holdfast;
  }

  /** A transaction of its own, and when the reply to its commit is lost, what became of it. */
  void transact(TransactionBody body) {
    try {
      holdfast.transact(body);
    } catch (OutcomeUnknown e) {
      if (!(e.resolve() instanceof Outcome.Committed)) {
        throw e;
      }
    }
  }

  /** A transaction as somebody else manages it. */
  Connection begin() throws SQLException {
    Connection connection = dataSource.getConnection();
    connection.setAutoCommit(false);
    return connection;
  }

  /** The change that the messages speak of; made once, however often it is tried. */
  static void save(Connection connection, String key) throws SQLException {
    try (PreparedStatement insert =
        connection.prepareStatement(
            "insert into "
                + TABLE
                + " (id) select ? where not exists"
                + " (select 1 from "
                + TABLE
                + " where id = ?)")) {
      insert.setString(1, key);
      insert.setString(2, key);
      insert.executeUpdate();
    }
  }

  boolean isInPhase(RelayPhase phase) {
    return holdfast.status().stream().allMatch(status -> status.phase() == phase);
  }

  void await(RelayPhase phase) throws TimeoutException {
    await("The relay is not " + phase, () -> isInPhase(phase));
  }

  /** Whether all that was recorded is at the target, and the database knows. */
  boolean isDelivered() {
    try {
      return holdfast.store().channels().status(CHANNEL).lagMessages() == 0
          && holdfast.store().parking().list(CHANNEL, 1).isEmpty();
    } catch (HoldfastException e) {
      // A connection whose answer was lost; asked again on the next one.
      return false;
    }
  }

  /** What others left is no part of the operation that comes next. */
  void awaitDelivered() {
    try {
      // Also at rest: a step that has begun would copy progress in the midst of the operation.
      await("What was left is not delivered", () -> resting && isDelivered());
    } catch (TimeoutException e) {
      throw new IllegalStateException(e);
    }
  }

  static void await(String otherwise, BooleanSupplier condition) throws TimeoutException {
    Await clock = Await.begin();
    while (!condition.getAsBoolean()) {
      if (clock.isOver(LONGEST_WAIT)) {
        throw new TimeoutException(otherwise + " after " + LONGEST_WAIT + ".");
      }
      clock.pause();
    }
  }

  /** Somebody who resumes the channel if nobody else came to it. */
  void resume() {
    boolean paused =
        holdfast.store().channels().state(CHANNEL).stream()
            .anyMatch(state -> state == ChannelState.PAUSED);
    if (paused) {
      setState(ChannelState.RUNNING);
    }
  }

  void setState(ChannelState state) {
    holdfast.store().channels().setState(CHANNEL, state, "conformance", null);
  }

  /** Somebody who removes the cause of whatever is parked and orders its replay, from now on. */
  void operate() {
    Thread operator = new Thread(this::replayAll, "operator");
    operator.setDaemon(true);
    // It dies with its process.
    operator.setUncaughtExceptionHandler((thread, thrown) -> {});
    operator.start();
  }

  private void replayAll() {
    Await clock = Await.begin();
    while (!closed) {
      replayParked();
      clock.pause();
    }
  }

  /** Removes the cause of what is parked, if anything is, and orders its replay. */
  void replayParked() {
    try {
      replay(holdfast.store().parking().list(CHANNEL, 10));
    } catch (HoldfastException e) {
      // A connection whose answer was lost. What was ordered is found as releasing.
    }
  }

  /**
   * Steps the relay on a thread of its own, as long as something is to be done, and does something
   * else in between: in the same order each time, whatever the time of the process is.
   */
  void drive(Stepper stepper, Consumer<OutboxProcess> whenIdle) {
    Thread driver = new Thread(() -> drive(stepper, whenIdle, Await.begin()), "driver");
    driver.setDaemon(true);
    driver.setUncaughtExceptionHandler((thread, thrown) -> {});
    driver.start();
  }

  private void drive(Stepper stepper, Consumer<OutboxProcess> whenIdle, Await clock) {
    while (!closed) {
      resting = false;
      if (!isInPhase(RelayPhase.LEADING) || !isDelivered()) {
        boolean more = true;
        while (more && !closed) {
          more = stepper.step(CHANNEL);
        }
        whenIdle.accept(this);
      } else {
        resting = true;
      }
      clock.pause();
    }
  }

  private void replay(List<ParkedMessage> parked) {
    for (ParkedMessage message : parked) {
      OutboxRecord record = message.message();
      if (!message.releasing() && record.key() != null) {
        RefusingTarget.removeCause(record.key());
        holdfast.store().parking().orderUnpark(CHANNEL, message.lane(), "conformance");
        return;
      }
    }
  }

  @Override
  public void close() {
    closed = true;
    holdfast.close();
  }
}
