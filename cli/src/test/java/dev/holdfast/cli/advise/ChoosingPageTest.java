package dev.holdfast.cli.advise;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cli.Run;
import dev.holdfast.guarantee.Advice;
import dev.holdfast.guarantee.Need;
import dev.holdfast.guarantee.Needs;
import dev.holdfast.guarantee.Resolution;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * The page says what the advisor says. With {@code -DupdateDocs=true} it is written anew: {@code
 * ./mvnw test -pl cli -am -Dtest=ChoosingPageTest -Dsurefire.failIfNoSpecifiedTests=false
 * -DupdateDocs=true}.
 */
final class ChoosingPageTest {
  private static final Path PAGE = Path.of("../docs/choosing.md");
  private static final Pattern TABLE =
      Pattern.compile("(?s)(<!-- advised -->\n).*?(<!-- end -->\n)");
  private static final Pattern COMMAND =
      Pattern.compile("(?s)```\n\\$ holdfast (advise [^\n]+)\n.*?```\n");

  /** Effects as they are typed; a message comes from the one behind {@code <}. */
  private static final List<String> ROWS =
      List.of(
          "postgresql:orders postgresql:stock",
          "kafka:orders kafka:stock",
          "postgresql kafka",
          "postgresql kafka-plain",
          "postgresql rabbitmq",
          "postgresql rabbitmq+dedup=7d",
          "postgresql jms",
          "postgresql sqs-fifo",
          "mongodb kafka",
          "postgresql@shop postgresql@billing",
          "postgresql mariadb",
          "postgresql mongodb",
          "postgresql webhook",
          "postgresql http",
          "postgresql http+lookup",
          "postgresql http-key",
          "postgresql http+hold=15m",
          "http-key:flight http-key:hotel",
          "http-key+undo:flight http-key+undo:hotel",
          "postgresql opensearch",
          "postgresql redis",
          "postgresql s3",
          "postgresql email",
          "< kafka postgresql",
          "< rabbitmq postgresql",
          "< jms postgresql",
          "< http postgresql",
          "< sqs postgresql",
          "< http postgresql webhook",
          "< kafka:in kafka:out",
          "< kafka postgresql kafka",
          "< kafka http-key",
          "< kafka opensearch");

  private static final List<Optional<Need>> COLUMNS =
      Stream.concat(
              Stream.of(Optional.<Need>empty()), Arrays.stream(Need.values()).map(Optional::of))
          .toList();

  @Test
  void theTableAndTheAnswersOnThePageAreTheAdvisors() throws IOException {
    String page = Files.readString(PAGE);
    assertThat(TABLE.matcher(page).results()).hasSize(1);
    assertThat(COMMAND.matcher(page).results()).hasSizeGreaterThan(1);
    String expected =
        TABLE
            .matcher(page)
            .replaceFirst(
                table -> Matcher.quoteReplacement(table.group(1) + table() + table.group(2)));
    expected =
        COMMAND
            .matcher(expected)
            .replaceAll(
                command ->
                    Matcher.quoteReplacement(
                        "```\n$ holdfast %s\n%s```\n"
                            .formatted(command.group(1), Run.line(command.group(1)).out())));
    if (Boolean.getBoolean("updateDocs")) {
      Files.writeString(PAGE, expected);
    } else {
      assertThat(page).as("write it anew with -DupdateDocs=true").isEqualTo(expected);
    }
  }

  @Test
  void thePageNamesEveryResolution() throws IOException {
    assertThat(Files.readString(PAGE))
        .contains(Arrays.stream(Resolution.values()).map(r -> "**" + r.title() + "**").toList());
  }

  private static String table() {
    List<String> header = new ArrayList<>(List.of(""));
    COLUMNS.forEach(need -> header.add(need.map(Word::of).orElse("no loss")));
    StringBuilder text = new StringBuilder(line(header));
    text.append("|---".repeat(header.size())).append("|\n");
    for (String row : ROWS) {
      List<String> cells = new ArrayList<>(List.of(row(row)));
      COLUMNS.forEach(need -> cells.add(cell(row, need)));
      text.append(line(cells));
    }
    return text.toString();
  }

  private static String line(List<String> cells) {
    return "| " + String.join(" | ", cells) + " |\n";
  }

  private static String row(String row) {
    return row.startsWith("< ")
        ? row.substring(2).replaceFirst(" ", " → ").replaceFirst("(→ .*) ", "$1 + ")
        : row.replace(" ", " + ");
  }

  private static String cell(String row, Optional<Need> need) {
    boolean consumed = row.startsWith("< ");
    List<Place> places =
        Arrays.stream((consumed ? row.substring(2) : row).split(" ")).map(Place::parse).toList();
    Needs needs = need.map(Needs::of).orElse(Needs.NONE);
    Question question = Question.of(places, consumed, needs);
    return question.answer().best().map(best -> cell(best, question)).orElse("-");
  }

  private static String cell(Advice best, Question question) {
    String title = (best.behindInbox() ? "inbox, " : "") + best.resolution().title();
    return switch (Readiness.of(best, question)) {
      case NOTHING_NEEDED, CARRIED_OUT -> "**" + title + "**";
      case TARGET_NEEDED -> title + " (target)";
      case CONSUMER_NEEDED -> title + " (consumer)";
      case PLANNED -> title;
    };
  }
}
