package dev.holdfast.postgres;

import dev.holdfast.Message;
import dev.holdfast.outbox.store.Store;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Savepoint;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import javax.sql.DataSource;

/**
 * Writers as awkward as real ones: rollbacks, savepoints, transaction ids drawn long before the
 * message, and messages recorded long before the commit.
 */
final class OutboxWorkload {
  /** When a message was recorded and committed, by this process's monotonic clock. */
  record Sent(String key, long publishedAfter, long committedBefore) {}

  private static final int KEYS = 12;
  private static final int MOST_AT_ONCE = 3;

  private final Store store;
  private final DataSource dataSource;
  private final String schema;
  private final long seed;
  private final boolean lockKeys;
  private final List<String> ownKeys = new ArrayList<>();
  final Map<UUID, Sent> committed = new ConcurrentHashMap<>();
  final Set<UUID> rolledBack = ConcurrentHashMap.newKeySet();

  OutboxWorkload(Store store, DataSource dataSource, String schema, long seed, boolean lockKeys) {
    this.store = store;
    this.dataSource = dataSource;
    this.schema = schema;
    this.seed = seed;
    this.lockKeys = lockKeys;
  }

  /** How many connections it needs. */
  static int connections(int threads) {
    return 3 * threads;
  }

  void run(int threads, int transactionsEach)
      throws InterruptedException, ExecutionException, SQLException {
    chooseOwnKeys(threads);
    ExecutorService executor = Executors.newFixedThreadPool(threads);
    try {
      List<Future<Void>> writers = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        int thread = i;
        Callable<Void> writer =
            () -> {
              write(thread, transactionsEach);
              return null;
            };
        writers.add(executor.submit(writer));
      }
      for (Future<Void> writer : writers) {
        writer.get();
      }
    } finally {
      executor.shutdownNow();
    }
  }

  /**
   * A key for each thread that shares its lock with no other key. Keys share 1,024 locks; a thread
   * that held the lock of a common key on one connection, and waited for it on the other, would
   * wait for itself, which no database can detect.
   */
  private void chooseOwnKeys(int threads) throws SQLException {
    Set<Integer> taken = new HashSet<>();
    try (Connection connection = dataSource.getConnection();
        PreparedStatement statement = connection.prepareStatement("select hashtext(?) & 1023")) {
      for (int i = 0; i < KEYS; i++) {
        taken.add(stripe(statement, "k" + i));
      }
      for (int i = 0; ownKeys.size() < threads; i++) {
        if (taken.add(stripe(statement, "early-" + i))) {
          ownKeys.add("early-" + i);
        }
      }
    }
  }

  private static int stripe(PreparedStatement statement, String key) throws SQLException {
    statement.setString(1, key);
    try (ResultSet rows = statement.executeQuery()) {
      rows.next();
      return rows.getInt(1);
    }
  }

  private void write(int thread, int transactions) throws SQLException {
    Random random = new Random(seed * 31 + thread);
    try (Connection main = open();
        Connection aside = open();
        Connection repeatable = open()) {
      repeatable.setTransactionIsolation(Connection.TRANSACTION_REPEATABLE_READ);
      for (int i = 0; i < transactions; i++) {
        switch (random.nextInt(10)) {
          case 0 -> publishEarlyCommitLate(main, aside, random, thread);
          case 1 -> idEarlyPublishLate(main, aside, random);
          case 2 -> withSavepoint(main, random);
          case 3 -> snapshotEarlyPublishLate(repeatable, aside, random);
          default -> plain(main, random);
        }
      }
    }
  }

  private Connection open() throws SQLException {
    Connection connection = dataSource.getConnection();
    connection.setAutoCommit(false);
    return connection;
  }

  private void plain(Connection connection, Random random) throws SQLException {
    long before = System.nanoTime();
    List<Message> messages = messages(random);
    publish(connection, messages);
    end(connection, random, messages, before);
  }

  /** Its positions are drawn; many others are drawn and committed before it is. */
  private void publishEarlyCommitLate(
      Connection connection, Connection aside, Random random, int thread) throws SQLException {
    long before = System.nanoTime();
    Message own = Message.of("orders.x", ownKeys.get(thread), "{}");
    publish(connection, List.of(own));
    for (int i = 0; i < 3; i++) {
      plain(aside, random);
    }
    end(connection, random, List.of(own), before);
  }

  /** Its transaction id is older than those of messages that its key got before. */
  private void idEarlyPublishLate(Connection connection, Connection aside, Random random)
      throws SQLException {
    try (PreparedStatement statement = connection.prepareStatement("select pg_current_xact_id()")) {
      statement.execute();
    }
    for (int i = 0; i < 3; i++) {
      plain(aside, random);
    }
    plain(connection, random);
  }

  /** It has not seen what its key got before it, and is behind it all the same. */
  private void snapshotEarlyPublishLate(Connection repeatable, Connection aside, Random random)
      throws SQLException {
    try (Statement statement = repeatable.createStatement()) {
      statement.execute("select 1 from " + schema + ".store");
    }
    for (int i = 0; i < 3; i++) {
      plain(aside, random);
    }
    plain(repeatable, random);
  }

  private void withSavepoint(Connection connection, Random random) throws SQLException {
    long before = System.nanoTime();
    List<Message> first = messages(random);
    publish(connection, first);
    Savepoint savepoint = connection.setSavepoint();
    // The same keys: locks beyond them, taken one by one, could meet others' in a deadlock.
    List<Message> dropped =
        first.stream().map(m -> Message.of("orders.x", String.valueOf(m.key()), "{}")).toList();
    publish(connection, dropped);
    connection.rollback(savepoint);
    dropped.forEach(message -> rolledBack.add(message.id()));
    end(connection, random, first, before);
  }

  private void publish(Connection connection, List<Message> messages) throws SQLException {
    if (lockKeys) {
      store.writer().publish(connection, "op", messages);
      return;
    }
    // The protocol without its first step.
    try (PreparedStatement statement =
        connection.prepareStatement(
            "select "
                + schema
                + ".append(0::smallint, array[?::uuid], array['orders.x'], array[?], array['t'],"
                + " array['c'], array[null::bytea], array[null::jsonb], null)")) {
      for (Message message : messages) {
        statement.setObject(1, message.id());
        statement.setString(2, message.key());
        statement.execute();
      }
    }
  }

  private void end(Connection connection, Random random, List<Message> messages, long before)
      throws SQLException {
    if (random.nextInt(100) < 18) {
      messages.forEach(message -> rolledBack.add(message.id()));
      connection.rollback();
    } else {
      connection.commit();
      long after = System.nanoTime();
      for (Message message : messages) {
        committed.put(message.id(), new Sent(String.valueOf(message.key()), before, after));
      }
    }
  }

  private static List<Message> messages(Random random) {
    List<Message> messages = new ArrayList<>();
    for (int i = 1 + random.nextInt(MOST_AT_ONCE); i > 0; i--) {
      messages.add(Message.of("orders.x", "k" + random.nextInt(KEYS), "{}"));
    }
    return messages;
  }
}
