package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.Page;
import dev.holdfast.postgres.OutboxWorkload.Sent;
import dev.holdfast.postgres.ReadingReport.Read;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Channels that are registered while writers have messages in flight. */
final class NewChannelTest {
  private static final int THREADS = 6;
  private static final int CHANNELS = 5;
  private static final long SEED = 23;

  private final HikariDataSource pool =
      TestDatabase.pool(TestDatabase.server().jdbcUrl(), OutboxWorkload.connections(THREADS) + 4);
  private final String schema = TestDatabase.newSchema();
  private final PostgresStore store = PostgresStore.open(pool, schema);

  @AfterEach
  void end() {
    pool.close();
  }

  private List<Read> readAll(String channel) {
    List<Read> all = new ArrayList<>();
    Cursor at = store.channels().progress(channel).cursor();
    Page page;
    do {
      page = store.log().read(channel, at, new OutboxLog.Limit(50, 1 << 20), true);
      page.records().forEach(r -> all.add(new Read(r.position(), r.id(), String.valueOf(r.key()))));
      at = page.end();
    } while (page.hasNext() || !page.isEmpty());
    return all;
  }

  @Test
  void getAllThatIsRecordedAfterwardsOnceAndInOrder() {
    store.schema().migrate();
    store.channels().register("first", List.of("orders.*"));
    OutboxWorkload workload = new OutboxWorkload(store, pool, schema, SEED, true);
    CompletableFuture<Void> writers =
        CompletableFuture.runAsync(
            () -> {
              try {
                workload.run(THREADS, 150);
              } catch (Exception e) {
                throw new CompletionException(e);
              }
            });
    Map<String, Long> registeredAt = new HashMap<>();
    for (int i = 1; i <= CHANNELS; i++) {
      int enough = i * 200;
      await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> writers.isDone() || workload.committed.size() > enough);
      store.channels().register("later-" + i, List.of("orders.*"));
      registeredAt.put("later-" + i, System.nanoTime());
    }
    assertThat(writers).as("registered while they wrote").isNotDone();
    writers.join();

    registeredAt.forEach(
        (channel, since) -> {
          Map<UUID, Sent> afterwards = new HashMap<>(workload.committed);
          afterwards.values().removeIf(sent -> sent.publishedAfter() < since);
          assertThat(afterwards).isNotEmpty();
          List<Read> read = readAll(channel);
          ReadingReport ofAll = ReadingReport.of(read, workload.committed);
          assertThat(ofAll)
              .as("%s, seed %d; what was committed before is not its", channel, SEED)
              .isEqualTo(new ReadingReport(ofAll.lost(), 0, 0, 0, 0));
          assertThat(read)
              .as("%s, seed %d", channel, SEED)
              .extracting(Read::id)
              .containsAll(afterwards.keySet());
        });
  }
}
