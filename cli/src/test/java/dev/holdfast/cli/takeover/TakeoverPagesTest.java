package dev.holdfast.cli.takeover;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cli.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the manual tells to type is understood. */
final class TakeoverPagesTest {
  @ParameterizedTest
  @ValueSource(strings = {"gruelbox", "debezium", "spring-modulith"})
  void commandsOnThePageHaveTheOptionsThatTheyAreGiven(String page) throws IOException {
    List<String> commands =
        Files.readAllLines(Path.of("../docs/coming-from-" + page + ".md")).stream()
            .map(String::strip)
            .filter(line -> line.startsWith("holdfast "))
            .toList();

    assertThat(commands).hasSizeGreaterThan(2);
    for (String command : commands) {
      String[] arguments = command.replace("'", "").substring("holdfast ".length()).split(" ");
      assertThat(Main.commandLine().parseArgs(arguments).unmatched()).as(command).isEmpty();
    }
  }
}
