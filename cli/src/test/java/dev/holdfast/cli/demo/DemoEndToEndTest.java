package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.cli.Main;
import dev.holdfast.crashtest.Attacks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DemoEndToEndTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  @TempDir Path directory;

  @Test
  @Attacks({
    "outbox.delivery.none-lost",
    "outbox.delivery.none-invented",
    "outbox.delivery.once",
    "outbox.order"
  })
  void outboxLosesInventsRepeatsAndReordersNothing() throws Exception {
    JsonNode outbox =
        DemoRuns.strategies(
                directory, "demo --strategies outbox --operations 300 --kills 2 --seed 7")
            .path(0);

    assertThat(outbox.path("name").asText()).isEqualTo("outbox");
    assertThat(outbox.path("operations").asInt()).isEqualTo(300);
    assertThat(outbox.path("kills").asInt()).isEqualTo(2);
    assertThat(DemoRuns.violations(outbox)).isZero();
    assertThat(outbox.path("throughput_per_s").asDouble()).isPositive();
    assertThat(outbox.at("/latency_ms/p50").asDouble()).isPositive();
    assertThat(outbox.at("/latency_ms/p99").asDouble())
        .isGreaterThanOrEqualTo(outbox.at("/latency_ms/p50").asDouble());
  }

  @Test
  @Attacks({"consumer.atomicity", "consumer.once", "consumer.order"})
  void inboxLosesInventsRepeatsAndReordersNothing() throws Exception {
    shipsEveryOrderOnceAndInOrder("inbox");
  }

  @Test
  @Attacks({"inbox.atomicity", "inbox.once", "outbox.delivery.none-lost", "outbox.order"})
  void webhookLosesInventsRepeatsAndReordersNothing() throws Exception {
    shipsEveryOrderOnceAndInOrder("webhook");
  }

  @Test
  void twoPhaseEntersEveryOrderInBothDatabasesOnceAndInOrder() throws Exception {
    JsonNode row =
        DemoRuns.strategies(
                directory, "demo --strategies two-phase --operations 200 --kills 2 --seed 7")
            .path(0);

    assertThat(row.path("name").asText()).isEqualTo("two-phase");
    assertThat(row.path("operations").asInt()).isEqualTo(200);
    assertThat(row.path("kills").asInt()).isEqualTo(2);
    assertThat(DemoRuns.violations(row)).isZero();
    assertThat(row.at("/latency_ms/p50").asDouble()).isPositive();
  }

  private void shipsEveryOrderOnceAndInOrder(String strategy) throws Exception {
    JsonNode row =
        DemoRuns.strategies(
                directory, "demo --strategies " + strategy + " --operations 200 --kills 2 --seed 7")
            .path(0);

    assertThat(row.path("name").asText()).isEqualTo(strategy);
    assertThat(row.path("operations").asInt()).isEqualTo(200);
    // One of each service.
    assertThat(row.path("kills").asInt()).isEqualTo(2);
    assertThat(DemoRuns.violations(row)).isZero();
    assertThat(row.at("/latency_ms/p50").asDouble()).isPositive();
  }

  @Test
  void endedInTheMiddleItLeavesNoServerAndNoFileBehind() throws Exception {
    // Servers may run as another user.
    Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
    Path log = Files.createTempFile("holdfast-demo-test", ".log");
    log.toFile().deleteOnExit();
    Process demo =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Djava.io.tmpdir=" + directory,
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "demo",
                "--operations",
                "10000")
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      int instances = Service.ORDERS.instances(StrategyKind.DB_THEN_BROKER);
      await()
          .atMost(BOUND)
          .until(() -> !demo.isAlive() || services(demo.descendants()) == instances);
      List<ProcessHandle> descendants = demo.descendants().toList();
      // Both instances, Kafka and PostgreSQL with its children, and what watches over them.
      assertThat(descendants).as(Files.readString(log)).hasSizeGreaterThan(8);

      demo.destroy();

      assertThat(demo.waitFor(BOUND.toMillis(), TimeUnit.MILLISECONDS)).isTrue();
      await().atMost(BOUND).until(() -> descendants.stream().noneMatch(ProcessHandle::isAlive));
      await()
          .atMost(BOUND)
          .untilAsserted(
              () -> {
                try (Stream<Path> left = Files.list(directory)) {
                  assertThat(left.filter(file -> file.toString().contains("holdfast"))).isEmpty();
                }
              });
    } finally {
      demo.destroyForcibly();
    }
  }

  private static long services(Stream<ProcessHandle> processes) {
    return processes
        .filter(process -> commandLine(process.pid()).contains(DemoService.class.getName()))
        .count();
  }

  /** Java's own answer has none that is as long as a class path. */
  private static String commandLine(long pid) {
    try {
      return Files.readString(Path.of("/proc/" + pid + "/cmdline"));
    } catch (IOException e) {
      return "";
    }
  }
}
