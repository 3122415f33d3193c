package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.internal.Doorbell;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Many more runs that wait than a process has memory or threads for. */
@Tag("long")
final class ParkedRunsTest extends WorkflowProcesses {
  private static final Logger log = LoggerFactory.getLogger(ParkedRunsTest.class);
  private static final int RUNS = 100_000;
  private static final Duration BOUND = Duration.ofMinutes(10);

  /** What is asked for, from when they all fall due. */
  private static final Duration TO_WAKE = Duration.ofSeconds(60);

  private long count(String condition) {
    return Long.parseLong(
        list("select count(*) from " + schema + ".workflow_state where " + condition).get(0));
  }

  @Test
  @Attacks("workflow.parked")
  void aSmallProcessParksAHundredThousandAndWakesThemInTime() throws Exception {
    list(
        """
        select count((%s.workflow_start('r-' || i, 'wait', 1, '"x"', 'r-' || i, '{}', null, null,
                                        null, null, null, null, null, null)).o_run)
        from generate_series(1, %d) as i
        """
            .formatted(schema, RUNS));
    Process small =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx256m",
                "-cp",
                System.getProperty("java.class.path"),
                ParkedRunsMain.class.getName(),
                TestDatabase.server().jdbcUrl(),
                schema)
            .inheritIO()
            .start();
    try (StoreClock clock = StoreClock.of(pool, schema)) {
      Awaitility.await()
          .atMost(BOUND)
          .pollInterval(Duration.ofSeconds(1))
          .untilAsserted(
              () -> {
                assertThat(small.isAlive()).isTrue();
                assertThat(count("status = 'PARKED' and due_at > " + schema + ".now()"))
                    .isEqualTo(RUNS);
              });
      clock.advance(ParkedRunsMain.WAIT.plusSeconds(1));
      long due = Doorbell.nanos();
      Awaitility.await()
          .atMost(BOUND)
          .pollInterval(Duration.ofSeconds(1))
          .untilAsserted(
              () -> {
                assertThat(small.isAlive()).isTrue();
                assertThat(count("status = 'COMPLETED'")).isEqualTo(RUNS);
              });
      Duration took = Doorbell.since(due);
      log.info("{} runs were awake and ended {} after they fell due", RUNS, took);
      assertThat(took).isLessThan(TO_WAKE);
      assertThat(
              list(
                  "select kind || ' ' || count(*) from "
                      + schema
                      + ".workflow_journal group by kind order by kind"))
          .isEqualTo(List.of("COMPLETED " + RUNS, "RESULT " + RUNS, "WAIT " + RUNS));
    } finally {
      small.destroy();
    }
  }
}
