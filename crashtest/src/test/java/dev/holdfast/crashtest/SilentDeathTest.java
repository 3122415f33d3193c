package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.resource.ProcessCrashed;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import javax.sql.DataSource;
import org.junit.jupiter.api.Test;

/** Threads of a crashed process end without a word, and others do not. */
final class SilentDeathTest {
  /** A service with a thread that catches nothing. */
  private static final class Service implements AutoCloseable {
    static final Queue<Thread> ALL = new ConcurrentLinkedQueue<>();
    static final Queue<Throwable> SAID = new ConcurrentLinkedQueue<>();

    final DataSource dataSource;
    private final CountDownLatch closed = new CountDownLatch(1);

    Service(DataSource dataSource) {
      this.dataSource = dataSource;
      Thread thread =
          new Thread(
              () -> {
                while (closed.getCount() > 0) {
                  look();
                }
              });
      thread.setUncaughtExceptionHandler((dead, thrown) -> SAID.add(thrown));
      ALL.add(thread);
      thread.start();
    }

    private void look() {
      try (Connection connection = dataSource.getConnection()) {
        connection.isReadOnly();
      } catch (SQLException e) {
        throw new IllegalStateException(e);
      }
    }

    @Override
    public void close() {
      closed.countDown();
    }
  }

  @Test
  void nothingIsPrintedForThreadsOfTheDead() {
    String orders = LabServers.keyedTable("orders");
    assertThat(
            CrashLab.explore(
                    "silent",
                    CrashLab.Options.defaults(),
                    lab ->
                        lab.application(
                                resources ->
                                    new Service(resources.dataSource("shop", LabServers.url())))
                            .operation(
                                (service, key) -> {
                                  try (Connection connection = service.dataSource.getConnection()) {
                                    TwoTables.insert(connection, orders, key);
                                  }
                                })
                            .expect(row(orders).byKey().once()))
                .runs())
        .hasSize(4)
        .allMatch(RunReport::passed);
    await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> Service.ALL.stream().noneMatch(Thread::isAlive));
    assertThat(Service.SAID).isEmpty();
  }

  @Test
  void whatElseAThreadEndsWithIsSaid() throws InterruptedException {
    Queue<Throwable> said = new ConcurrentLinkedQueue<>();
    RuntimeException another = new IllegalStateException("something else");
    for (RuntimeException each :
        List.of(another, new IllegalStateException(new ProcessCrashed("here")))) {
      Thread thread =
          new Thread(
              () -> {
                SilentDeath.of(Thread.currentThread());
                throw each;
              });
      thread.setUncaughtExceptionHandler((dead, thrown) -> said.add(thrown));
      thread.start();
      thread.join();
    }
    assertThat(said).containsExactly(another);
  }
}
