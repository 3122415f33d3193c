package dev.holdfast.jta;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A process that dies between preparing and committing, and the next one. */
final class XaRecoveryTest {
  private static final Duration LONG = Duration.ofSeconds(60);

  private final String order = TestServers.table(TestServers.ORDERS, "orders");
  private final String entry = TestServers.table(TestServers.LEDGER, "entry");
  private final String queue = TestServers.unique("shipping");

  private static XaCommit start() {
    return XaCommit.as(TestServers.NODE)
        .logIn(TestServers.LOG)
        .allowTemporaryLog()
        .participants(
            XaParticipant.jdbc("orders", Drivers.xa(TestServers.ORDERS)),
            XaParticipant.jdbc("ledger", Drivers.xa(TestServers.LEDGER)),
            XaParticipant.jms("broker", Drivers.broker(TestServers.ARTEMIS.url())))
        .recoverEvery(Duration.ofHours(1))
        .start();
  }

  private void halt(HaltingMain.Point point, Path log) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-Dorg.jboss.logging.provider=slf4j",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                HaltingMain.class.getName(),
                point.name(),
                log.toString(),
                TestServers.ORDERS,
                TestServers.LEDGER,
                TestServers.ARTEMIS.url(),
                order,
                entry,
                queue)
            .inheritIO()
            .start();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).isEqualTo(HaltingMain.HALTED);
  }

  private List<List<String>> effects() {
    return List.of(
        TestServers.ids(TestServers.ORDERS, order),
        TestServers.ids(TestServers.LEDGER, entry),
        TestServers.bodies(queue));
  }

  private static List<String> inDoubt() {
    return Stream.of(TestServers.ORDERS, TestServers.LEDGER)
        .flatMap(url -> TestServers.prepared(url).stream())
        .toList();
  }

  @ParameterizedTest
  @EnumSource(HaltingMain.Point.class)
  void nextProcessEndsEverywhereWhatTheLastOneLeftInDoubt(HaltingMain.Point point)
      throws Exception {
    List<List<String>> all = List.of(List.of("a"), List.of("a"), List.of("a"));
    List<List<String>> none = List.of(List.of(), List.of(), List.of());
    List<List<String>> expected = point == HaltingMain.Point.AFTER_PREPARE ? none : all;

    halt(point, TestServers.LOG);

    // Without recovery it stays so.
    assertThat(inDoubt()).isNotEmpty();
    assertThat(effects()).isNotEqualTo(all);
    try (XaCommit xa = start()) {
      xa.recover();
      await()
          .atMost(LONG)
          .untilAsserted(
              () -> {
                assertThat(inDoubt()).isEmpty();
                assertThat(effects()).isEqualTo(expected);
              });
      xa.recover();
      assertThat(decisions()).isEmpty();
    }
  }

  @Test
  void branchesOfAnotherNodeAreLeftAlone() throws Exception {
    Path elsewhere = TestServers.logDirectory();
    halt(HaltingMain.Point.BEFORE_COMMIT, elsewhere);
    List<String> before = inDoubt();
    assertThat(before).hasSize(2);
    OtherNodeMain.run("other_node");

    assertThat(inDoubt()).containsExactlyElementsOf(before);
    OtherNodeMain.run("shop", elsewhere);
    assertThat(inDoubt()).isEmpty();
  }

  /** What the log still has to say. */
  private static List<Path> decisions() throws IOException {
    try (Stream<Path> files = Files.walk(TestServers.LOG)) {
      return files
          .filter(Files::isRegularFile)
          .filter(file -> file.toString().contains("AtomicAction"))
          .toList();
    }
  }
}
