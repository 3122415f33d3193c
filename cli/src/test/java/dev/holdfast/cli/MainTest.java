package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class MainTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    CommandLine commandLine = Main.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    return commandLine.execute(arguments);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "--help",
        "demo --help",
        "relay --help",
        "schema --help",
        "schema print --help",
        "outbox --help",
        "outbox reanchor --help",
      })
  void everyCommandHelps(String line) {
    assertThat(run(line.split(" "))).isZero();
    assertThat(out.toString()).contains("Usage: holdfast");
    assertThat(err.toString()).isEmpty();
  }

  @Test
  void versionIsThatOfTheBuild() {
    assertThat(run("--version")).isZero();
    assertThat(out.toString()).matches("(?s)holdfast [0-9]+\\..*");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "nonsense",
        "demo --kills many",
        "outbox",
        "outbox skip x",
        "outbox park",
        "relay --what"
      })
  void wrongUseIsStatusTwo(String line) {
    assertThat(run(line.split(" "))).isEqualTo(2);
    assertThat(err.toString()).isNotEmpty();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "demo --operations 5",
        "demo --kills 2000",
        "demo --strategies hope",
        "schema status --database mysql://u:s3cret@h/d",
        "schema print --schema Not;Valid",
        "relay --config /nowhere/relay.yaml",
      })
  void whatCannotBeDoneIsOneMessageAndStatusOne(String line) {
    assertThat(run(line.split(" "))).isEqualTo(1);
    assertThat(err.toString())
        .startsWith("holdfast: ")
        .doesNotContain("\tat ")
        .doesNotContain("s3cret");
  }

  @Test
  void unreachableDatabaseIsOneMessage() {
    assertThat(run("outbox", "status", "--database", "jdbc:postgresql://127.0.0.1:1/x"))
        .isEqualTo(1);
    assertThat(err.toString()).startsWith("holdfast: ").doesNotContain("\tat ");
  }

  @Test
  void debugShowsWhereItHappened() {
    assertThat(run("demo", "--operations", "5", "--debug")).isEqualTo(1);
    assertThat(err.toString()).contains("\tat dev.holdfast");
  }

  @Test
  void schemaIsPrintedWithoutDatabase() {
    assertThat(run("schema", "print", "--schema", "elsewhere")).isZero();
    assertThat(out.toString()).contains("elsewhere").containsIgnoringCase("create table");
  }
}
