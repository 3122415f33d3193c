package dev.holdfast.cli.takeover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.postgres.OldTable;
import dev.holdfast.postgres.Takeover;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Old versions of an application go on writing while their table is taken over. */
final class CutOverUnderLoadTest {
  private static final int WRITERS = 4;
  private static final Duration BOUND = Duration.ofSeconds(30);

  private final OldDatabase database = OldDatabase.create("*");
  private final AtomicBoolean stop = new AtomicBoolean();

  private Takeover takeover(UnaryOperator<OldTable> changed, boolean allRows) throws Exception {
    database.execute(
        """
        create table outboxevent (id uuid primary key default gen_random_uuid(),
          timestamp bigint generated always as identity, aggregatetype text, aggregateid text,
          type text, payload text)""");
    return Takeover.of(
        database.dataSource(),
        "holdfast",
        changed.apply(
            DebeziumTable.of(
                TableShape.of(database.dataSource(), "outboxevent"),
                new Mapping("old", null, "%"),
                Map.of(),
                allRows)),
        50,
        Duration.ofSeconds(60));
  }

  /** Does something in the middle of it, and gives what each writer has committed. */
  private List<List<String>> whileWriting(Runnable cutOver) throws Exception {
    ExecutorService threads = Executors.newFixedThreadPool(WRITERS);
    try {
      List<Future<List<String>>> writers = new ArrayList<>();
      for (int i = 0; i < WRITERS; i++) {
        String key = "k" + i;
        writers.add(threads.submit(() -> write(key)));
      }
      await().atMost(BOUND).until(() -> rows("outboxevent") > 200);
      cutOver.run();
      int atCutOver = rows("holdfast.message");
      await().atMost(BOUND).until(() -> rows("holdfast.message") > atCutOver + 100);
      stop.set(true);
      List<List<String>> committed = new ArrayList<>();
      for (Future<List<String>> writer : writers) {
        committed.add(writer.get());
      }
      return committed;
    } finally {
      stop.set(true);
      threads.shutdownNow();
    }
  }

  private List<String> published(int writer) throws Exception {
    return database.query(
        "select convert_from(payload, 'UTF8') from holdfast.message where key = 'k%d' order by position"
            .formatted(writer));
  }

  @Test
  void everyCommittedRowBecomesOneMessageAndKeysStayInOrder() throws Exception {
    Takeover takeover = takeover(UnaryOperator.identity(), true);
    AtomicLong moved = new AtomicLong();

    List<List<String>> committed = whileWriting(() -> moved.set(takeover.cutOver()));

    assertThat(moved.get()).isGreaterThan(200);
    assertThat(rows("outboxevent")).isZero();
    for (int i = 0; i < WRITERS; i++) {
      assertThat(published(i)).isEqualTo(committed.get(i));
    }
  }

  /** With a row kept for the application, and without. */
  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void everyCommittedRowIsTheConnectorsOrTheOutboxsAndTheConnectorsComeFirst(boolean kept)
      throws Exception {
    Takeover takeover =
        takeover(table -> kept ? table.keepingInserts("dbz_publication") : table, false);
    String slot = "dbz_load_" + kept;
    database.execute(
        "create publication dbz_publication for table outboxevent",
        "select pg_create_logical_replication_slot('" + slot + "', 'pgoutput')");

    List<List<String>> committed = whileWriting(takeover::install);

    List<String> read =
        database.query(
            """
            select substring(encode(data, 'escape') from 'k[0-9]:[0-9]+')
            from pg_logical_slot_get_binary_changes('%s', null, null,
              'proto_version', '1', 'publication_names', 'dbz_publication')
            where get_byte(data, 0) = 73"""
                .formatted(slot));
    database.execute("select pg_drop_replication_slot('" + slot + "')");
    assertThat(read).hasSizeGreaterThan(200);
    for (int i = 0; i < WRITERS; i++) {
      String key = "k" + i + ":";
      List<String> both = new ArrayList<>(read.stream().filter(v -> v.startsWith(key)).toList());
      both.addAll(published(i));
      assertThat(both).isEqualTo(committed.get(i));
    }
  }

  private int rows(String table) throws Exception {
    return Integer.parseInt(database.query("select count(*)::text from " + table).get(0));
  }

  /** One row in a transaction, every seventh rolled back. */
  private List<String> write(String key) throws Exception {
    List<String> committed = new ArrayList<>();
    try (Connection connection = database.dataSource().getConnection();
        PreparedStatement insert =
            connection.prepareStatement(
                "insert into outboxevent (aggregatetype, aggregateid, type, payload) values ('x', ?, 'x', ?)")) {
      connection.setAutoCommit(false);
      for (int n : (Iterable<Integer>) IntStream.iterate(1, i -> i + 1)::iterator) {
        if (stop.get()) {
          return committed;
        }
        insert.setString(1, key);
        insert.setString(2, key + ":" + n);
        insert.executeUpdate();
        if (n % 7 == 0) {
          connection.rollback();
        } else {
          connection.commit();
          committed.add(key + ":" + n);
        }
      }
    }
    return committed;
  }
}
