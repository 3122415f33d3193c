package dev.holdfast.postgres.eventlog;

import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.WrongExpectedVersion;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/**
 * Transactions that draw positions in one order and commit in another, or not at all: late ones,
 * prepared ones, savepoints that are rolled back. Seeded.
 */
final class Writers {
  private static final int OPEN_AT_ONCE = 4;

  private final Log log;
  private final long seed;

  Writers(Log log, long seed) {
    this.log = log;
    this.seed = seed;
  }

  /** Returns when all have done their operations, and nothing is open any more. */
  void run(int writers, int operations) throws InterruptedException, ExecutionException {
    List<CompletableFuture<Void>> all = new ArrayList<>();
    for (int w = 0; w < writers; w++) {
      One one = new One(w);
      all.add(
          CompletableFuture.runAsync(
              () -> one.run(operations), task -> new Thread(task, "writer").start()));
    }
    CompletableFuture.allOf(all.toArray(CompletableFuture[]::new)).get();
  }

  /** How a transaction that was left open is ended. */
  @FunctionalInterface
  private interface End {
    void run(boolean commit) throws SQLException;
  }

  private final class One {
    private final int number;
    private final Random random;
    private final List<End> open = new ArrayList<>();
    private int names;

    One(int number) {
      this.number = number;
      this.random = new Random(seed * 1_000 + number);
    }

    void run(int operations) {
      try {
        for (int i = 0; i < operations; i++) {
          step();
          if (open.size() > OPEN_AT_ONCE || (!open.isEmpty() && random.nextInt(4) == 0)) {
            open.remove(random.nextInt(open.size())).run(random.nextInt(4) > 0);
          }
        }
        while (!open.isEmpty()) {
          open.remove(0).run(true);
        }
      } catch (SQLException e) {
        throw new IllegalStateException("seed " + seed, e);
      }
    }

    private void step() throws SQLException {
      switch (random.nextInt(10)) {
        case 0, 1, 2 -> log.log.append(shared());
        case 3 -> expected();
        case 4 -> rolledBack();
        case 5, 6 -> late();
        case 7 -> prepared();
        case 8 -> savepoints();
        default ->
            log.log.append(
                shared()
                    .and("own-" + number, ExpectedVersion.any(), events(1 + random.nextInt(3))));
      }
    }

    private Append shared() {
      return Append.to(
          "shared-" + random.nextInt(5), ExpectedVersion.any(), events(1 + random.nextInt(2)));
    }

    /** In a stream that nobody else waits for. */
    private Append alone() {
      return Append.to(
          "w%d-%d".formatted(number, names++),
          ExpectedVersion.any(),
          events(1 + random.nextInt(3)));
    }

    private EventData[] events(int count) {
      EventData[] events = new EventData[count];
      for (int i = 0; i < count; i++) {
        events[i] = Log.event("{}");
      }
      return events;
    }

    private void expected() {
      try {
        log.append("raced", ExpectedVersion.exactly(random.nextInt(20)), events(1));
      } catch (WrongExpectedVersion e) {
        // Somebody else was faster, or it has not come that far.
      }
    }

    private void rolledBack() throws SQLException {
      Connection connection = Log.begin();
      log.append(connection, shared());
      Log.end(connection);
    }

    private void late() throws SQLException {
      Connection connection = Log.begin();
      log.append(connection, alone());
      open.add(
          commit -> {
            if (commit) {
              log.append(connection, alone());
              connection.commit();
            }
            Log.end(connection);
          });
    }

    private void prepared() throws SQLException {
      Connection connection = Log.begin();
      log.append(connection, alone());
      String gid = log.schema + "-" + number + "-" + names++;
      open.add(
          commit -> {
            log.execute(connection, "prepare transaction '%s'".formatted(gid));
            Log.end(connection);
            open.add(
                really ->
                    log.execute(
                        (commit && really ? "commit" : "rollback") + " prepared '" + gid + "'"));
          });
    }

    private void savepoints() throws SQLException {
      Connection connection = Log.begin();
      log.execute(connection, "select pg_current_xact_id()");
      Savepoint savepoint = connection.setSavepoint();
      log.append(connection, alone());
      connection.rollback(savepoint);
      if (random.nextBoolean()) {
        log.append(connection, alone());
      }
      connection.commit();
      Log.end(connection);
    }
  }
}
