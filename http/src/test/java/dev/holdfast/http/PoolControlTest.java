package dev.holdfast.http;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.Incoming;
import dev.holdfast.inbox.Receipt;
import dev.holdfast.inbox.Reply;
import dev.holdfast.postgres.PostgresStore;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/**
 * The negative control of what {@link ReceiverContract} measures: duplicates that wait for the
 * first take the whole pool, and who waits for a connection is seen.
 */
final class PoolControlTest {
  @Test
  void duplicatesThatWaitTakeTheWholePool() {
    String schema = TestServers.unique("control");
    CountDownLatch mayGoOn = new CountDownLatch(1);
    ExecutorService threads = Executors.newFixedThreadPool(10);
    try (HikariDataSource pool = TestServers.pool(4)) {
      PostgresStore.open(pool, schema).schema().migrate();
      try (Holdfast holdfast = Holdfast.on(pool).schema(schema).schemaManagedElsewhere().start()) {
        Inbox inbox = holdfast.inbox("orders", InboxSettings.DEFAULT);
        List<CompletableFuture<Receipt>> all =
            IntStream.range(0, 10)
                .mapToObj(
                    i ->
                        CompletableFuture.supplyAsync(
                            () ->
                                inbox.once(
                                    Incoming.of("k1"),
                                    tx -> {
                                      await(mayGoOn);
                                      return Reply.NONE;
                                    }),
                            threads))
                .toList();
        Awaitility.await()
            .untilAsserted(
                () -> {
                  assertThat(pool.getHikariPoolMXBean().getActiveConnections()).isEqualTo(4);
                  assertThat(pool.getHikariPoolMXBean().getThreadsAwaitingConnection())
                      .isEqualTo(6);
                });
        mayGoOn.countDown();
        assertThat(all.stream().filter(receipt -> !receipt.join().repeated())).hasSize(1);
      }
    } finally {
      mayGoOn.countDown();
      threads.shutdownNow();
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}
