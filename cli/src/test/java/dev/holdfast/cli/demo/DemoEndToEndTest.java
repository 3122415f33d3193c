package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
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
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What Holdfast's strategies come through, in one run on the same servers. */
class DemoEndToEndTest {
  private static final Duration BOUND = Duration.ofSeconds(60);

  /** As long as the servers and the services may take. */
  private static final Duration LONGEST_START = Duration.ofMinutes(3);

  private static final int OPERATIONS = 300;

  private static JsonNode strategies = MissingNode.getInstance();

  @TempDir Path directory;

  /** Two strategies: with twice the time of a test. The others take part in the long suites. */
  @BeforeAll
  @Timeout(value = 8, unit = TimeUnit.MINUTES)
  static void run(@TempDir Path reports) throws Exception {
    strategies =
        DemoRuns.strategies(
            reports,
            "demo --strategies outbox,inbox --operations %d --kills 2 --seed 7"
                .formatted(OPERATIONS));
  }

  /** The row of a strategy that has got through all of the run. */
  private static JsonNode whole(int row, String strategy) {
    assertThat(strategies).hasSize(2);
    JsonNode whole = strategies.path(row);
    assertThat(whole.path("name").asText()).isEqualTo(strategy);
    assertThat(whole.path("operations").asInt()).isEqualTo(OPERATIONS);
    // Of the order service, or one of each service.
    assertThat(whole.path("kills").asInt()).isEqualTo(2);
    assertThat(whole.at("/latency_ms/p50").asDouble()).isPositive();
    return whole;
  }

  @Test
  @Attacks({
    "outbox.delivery.none-lost",
    "outbox.delivery.none-invented",
    "outbox.delivery.once",
    "outbox.order"
  })
  void outboxLosesInventsRepeatsAndReordersNothing() {
    JsonNode outbox = whole(0, "outbox");

    assertThat(DemoRuns.violations(outbox)).as(outbox.toString()).isZero();
    assertThat(outbox.path("throughput_per_s").asDouble()).isPositive();
    assertThat(outbox.at("/latency_ms/p99").asDouble())
        .isGreaterThanOrEqualTo(outbox.at("/latency_ms/p50").asDouble());
  }

  @Test
  @Attacks({"consumer.atomicity", "consumer.once", "consumer.order"})
  void inboxLosesInventsRepeatsAndReordersNothing() {
    JsonNode inbox = whole(1, "inbox");

    assertThat(DemoRuns.violations(inbox)).as(inbox.toString()).isZero();
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
                "-Dholdfast.kafka.archive=" + Boolean.getBoolean("holdfast.kafka.archive"),
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
          .atMost(LONGEST_START)
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
