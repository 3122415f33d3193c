package dev.holdfast.devservices;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ArtemisServerTest {
  /** Artemis writes that to its log, and its start returns as if it served. */
  @Test
  void aServerThatCannotReadItsBindingsEnds(@TempDir Path home) throws Exception {
    Files.createDirectories(home.resolve("data"));
    Files.writeString(home.resolve("data").resolve("bindings"), "no directory");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                ArtemisMain.class.getName(),
                home.toString(),
                "0")
            .redirectErrorStream(true)
            .redirectOutput(home.resolve("out").toFile())
            .start();
    try {
      assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
      assertThat(process.exitValue()).isEqualTo(1);
      assertThat(home.resolve(ArtemisMain.READY_FILE)).doesNotExist();
      assertThat(home.resolve("out")).content().contains("has not become active");
    } finally {
      process.destroyForcibly();
    }
  }
}
