package dev.holdfast.cli.takeover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

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
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Old versions of an application go on writing while their table is taken over. */
final class CutOverUnderLoadTest {
  private static final int WRITERS = 4;

  private final OldDatabase database = OldDatabase.create("*");
  private final AtomicBoolean stop = new AtomicBoolean();

  @Test
  void everyCommittedRowBecomesOneMessageAndKeysStayInOrder() throws Exception {
    database.execute(
        """
        create table outboxevent (id uuid primary key default gen_random_uuid(),
          timestamp bigint generated always as identity, aggregatetype text, aggregateid text,
          type text, payload text)""");
    Takeover takeover =
        Takeover.of(
            database.dataSource(),
            "holdfast",
            DebeziumTable.of(
                TableShape.of(database.dataSource(), "outboxevent"),
                new Mapping("old", null, "%"),
                Map.of(),
                true),
            50,
            Duration.ofSeconds(60));
    ExecutorService threads = Executors.newFixedThreadPool(WRITERS);
    try {
      List<Future<List<String>>> writers = new ArrayList<>();
      for (int i = 0; i < WRITERS; i++) {
        String key = "k" + i;
        writers.add(threads.submit(() -> write(key)));
      }
      await().atMost(Duration.ofSeconds(30)).until(() -> rows("outboxevent") > 200);

      long moved = takeover.cutOver();

      int atCutOver = rows("holdfast.message");
      await()
          .atMost(Duration.ofSeconds(30))
          .until(() -> rows("holdfast.message") > atCutOver + 100);
      stop.set(true);
      assertThat(moved).isGreaterThan(200);
      assertThat(rows("outboxevent")).isZero();
      for (int i = 0; i < WRITERS; i++) {
        assertThat(
                database.query(
                    "select convert_from(payload, 'UTF8') from holdfast.message where key = 'k%d' order by position"
                        .formatted(i)))
            .isEqualTo(writers.get(i).get());
      }
    } finally {
      stop.set(true);
      threads.shutdownNow();
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
        insert.setString(2, Integer.toString(n));
        insert.executeUpdate();
        if (n % 7 == 0) {
          connection.rollback();
        } else {
          connection.commit();
          committed.add(Integer.toString(n));
        }
      }
    }
    return committed;
  }
}
