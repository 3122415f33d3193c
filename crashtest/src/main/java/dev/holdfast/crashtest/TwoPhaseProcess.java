package dev.holdfast.crashtest;

import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.TransactionOptions;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.twophase.Atomic;
import dev.holdfast.twophase.HeuristicOutcome;
import dev.holdfast.twophase.Joined;
import dev.holdfast.twophase.Participant;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.UUID;
import java.util.function.Supplier;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/** One life of a process that runs operations across databases, for {@link TwoPhaseConformance}. */
final class TwoPhaseProcess implements AutoCloseable {
  static final String TABLE = "conformance_entry";

  private static final Duration LONGEST_WAIT = Duration.ofSeconds(25);

  private final Holdfast holdfast;
  private final DataSource orders;
  private final List<Participant> participants;
  private final int attempts;

  /** The caller knows that nothing is committed anywhere, and never will be. */
  static final class NotCommitted extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NotCommitted(String message, @Nullable Throwable cause) {
      super(message, cause);
    }
  }

  /** Something that ends with what became of it. */
  @FunctionalInterface
  private interface Try {
    void run() throws SQLException;
  }

  /**
   * @param patience how long an operation waits for what is in doubt, which keeps its locks until
   *     it is recovered; each attempt waits for a second
   */
  TwoPhaseProcess(
      Holdfast holdfast, DataSource orders, List<Participant> participants, Duration patience) {
    this.holdfast = holdfast;
    this.attempts = Math.toIntExact(patience.toSeconds());
    this.orders = orders;
    this.participants = List.copyOf(participants);
  }

  Holdfast holdfast() {
    return holdfast;
  }

  private Atomic atomic(String key) {
    Atomic atomic =
        holdfast
            .atomic()
            .options(TransactionOptions.DEFAULT.withAttempts(attempts).withOperationId(key));
    participants.forEach(atomic::with);
    return atomic;
  }

  /** An entry under this key in each database, with Holdfast's own transactions. */
  void enter(String key) {
    tell(
        () ->
            atomic(key)
                .run(
                    tx -> {
                      insertOnce(tx.connection(), key);
                      for (Participant participant : participants) {
                        insertOnce(tx.on(participant).connection(), key);
                      }
                    }));
  }

  /** The same in a transaction of the caller's, which says so in a message if it was not there. */
  void enterWithin(String key, Atomic.Body message) {
    tell(
        () -> {
          Joined<Boolean> joined = null;
          try (Connection connection = orders.getConnection()) {
            connection.setAutoCommit(false);
            boolean isNew = insertOnce(connection, key);
            joined =
                atomic(key)
                    .join(
                        connection,
                        tx -> {
                          for (Participant participant : participants) {
                            insertOnce(tx.on(participant).connection(), key);
                          }
                          if (isNew) {
                            message.run(tx);
                          }
                          return true;
                        });
            connection.commit();
            joined.committed();
          } catch (SQLException e) {
            if (joined == null) {
              throw e;
            }
            Joined<Boolean> open = joined;
            settle(open::resolve, e);
          }
        });
  }

  /** What a caller does to learn what became of it: returns when it is committed. */
  private static void tell(Try attempt) {
    while (true) {
      try {
        attempt.run();
        return;
      } catch (OutcomeUnknown e) {
        settle(e::resolve, e);
        return;
      } catch (HeuristicOutcome e) {
        throw e;
      } catch (HoldfastException | SQLException e) {
        if (!isDuplicate(e)) {
          throw new NotCommitted(String.valueOf(e.getMessage()), e);
        }
        // An attempt before this one was committed while this one waited for it.
      }
    }
  }

  /** Asks until there is an answer. */
  private static void settle(Supplier<Outcome> resolve, Exception cause) {
    Await clock = Await.begin();
    while (true) {
      Outcome outcome;
      try {
        outcome = resolve.get();
      } catch (StoreUnavailable e) {
        outcome = new Outcome.Unknown("the deciding database cannot be reached: " + e.getMessage());
      }
      if (outcome instanceof Outcome.Committed) {
        return;
      }
      if (outcome instanceof Outcome.Rejected rejected) {
        throw new NotCommitted(rejected.reason(), cause);
      }
      if (clock.isOver(LONGEST_WAIT)) {
        throw new IllegalStateException("It is not known after " + LONGEST_WAIT, cause);
      }
      clock.pause();
    }
  }

  private static boolean isDuplicate(Throwable thrown) {
    for (Throwable each = thrown; each != null; each = each.getCause()) {
      if (each instanceof SQLException sql
          && sql.getSQLState() != null
          && sql.getSQLState().startsWith("23")) {
        return true;
      }
    }
    return false;
  }

  private static boolean insertOnce(Connection connection, String key) throws SQLException {
    try (PreparedStatement look =
        connection.prepareStatement("select id from " + TABLE + " where id = ?")) {
      look.setString(1, key);
      try (ResultSet row = look.executeQuery()) {
        if (row.next()) {
          return false;
        }
      }
    }
    try (PreparedStatement insert =
        connection.prepareStatement("insert into " + TABLE + " (id) values (?)")) {
      insert.setString(1, key);
      insert.executeUpdate();
      return true;
    }
  }

  /** Adds one to the same row in each database; there is no such operation in a retry. */
  void count(String row) {
    tell(
        () ->
            atomic(row + "-" + UUID.randomUUID())
                .run(
                    tx -> {
                      String sql = "update " + TABLE + " set n = n + 1 where id = ?";
                      tx.update(sql, row);
                      for (Participant participant : participants) {
                        tx.on(participant).update(sql, row);
                      }
                    }));
  }

  /** Whether nothing of anybody's is prepared. */
  boolean isQuiet() {
    try {
      return holdfast.twoPhase().inDoubt().isEmpty();
    } catch (HoldfastException e) {
      // A connection whose answer was lost; asked again on the next one.
      return false;
    }
  }

  /**
   * Recovers until nothing is prepared: the database may take a moment to notice that an owner has
   * died.
   */
  void recoverAll() {
    Await clock = Await.begin();
    while (true) {
      holdfast.twoPhase().recover();
      if (isQuiet()) {
        return;
      }
      if (clock.isOver(LONGEST_WAIT)) {
        throw new IllegalStateException("Something is still prepared after " + LONGEST_WAIT + ".");
      }
      clock.pause();
    }
  }

  @Override
  public void close() {
    holdfast.close();
  }
}
