package dev.holdfast.cli.recover;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.cli.Main;
import dev.holdfast.cli.recover.Interrupted.Databases;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code holdfast recover --watch} as people run it: a process that gets a signal. */
class RecoverWatchTest {
  private static final Duration BOUND = Duration.ofMinutes(2);

  @TempDir Path directory;

  @Test
  void itGoesOnUntilItIsToldToEndAndEndsWithStatusZero() throws Exception {
    Databases databases = Databases.create();
    Path log = directory.resolve("log");
    Process process =
        new ProcessBuilder(
                List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:TieredStopAtLevel=1",
                    "-XX:+UseSerialGC",
                    "-cp",
                    System.getProperty("java.class.path"),
                    Main.class.getName(),
                    "recover",
                    "--watch",
                    "--database",
                    databases.orders(),
                    "--participant",
                    "ledger=" + databases.ledger()))
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    try {
      await()
          .atMost(BOUND)
          .until(
              () -> Files.readString(log).contains("Looking after ledger") || !process.isAlive());
      new Interrupted(databases, "a").decided();
      await().atMost(BOUND).until(() -> databases.entries().equals("a / a"));
      // Again: it was not one round.
      new Interrupted(databases, "b").decided();
      await().atMost(BOUND).until(() -> databases.entries().equals("a b / a b"));

      process.destroy();
      assertThat(process.waitFor(BOUND.toSeconds(), TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).as(Files.readString(log)).isZero();
    } finally {
      process.destroyForcibly();
    }
  }
}
