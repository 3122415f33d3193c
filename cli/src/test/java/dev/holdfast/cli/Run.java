package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine;

/** What a command printed and how it ended. */
public record Run(int status, String out, String err) {

  /** Runs a command of this program, in this process. */
  public static Run of(String... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    CommandLine commandLine = Main.commandLine();
    commandLine.setOut(new PrintWriter(out, true));
    commandLine.setErr(new PrintWriter(err, true));
    int status = commandLine.execute(arguments);
    return new Run(status, out.toString(), err.toString());
  }

  /** A line as one would type it, with further arguments behind it. */
  public static Run line(String line, String... more) {
    List<String> arguments = new ArrayList<>(List.of(line.split(" ")));
    arguments.addAll(List.of(more));
    return of(arguments.toArray(String[]::new));
  }

  /** Its output, when it went well. */
  public String result() {
    assertThat(err).isEmpty();
    assertThat(status).isZero();
    return out;
  }

  /** Its output as JSON, when it went well. */
  public JsonNode json() {
    try {
      return new ObjectMapper().readTree(result());
    } catch (JsonProcessingException e) {
      throw new AssertionError("no JSON: " + out, e);
    }
  }

  /** Its one message, when it failed as commands do. */
  public String error() {
    assertThat(out).isEmpty();
    assertThat(status).isEqualTo(1);
    assertThat(err).startsWith("holdfast: ").doesNotContain("\tat ", "Exception", "HikariPool");
    assertThat(err.strip().lines()).hasSize(1);
    return err;
  }
}
