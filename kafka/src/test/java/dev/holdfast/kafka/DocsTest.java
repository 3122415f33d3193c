package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.holdfast.internal.twophase.OwnerProtocol;
import dev.holdfast.kafka.DocPages.Block;
import dev.holdfast.outbox.RelayPhase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * The manual says what the code says: every Java block is a region of {@link DocSnippetsTest},
 * which compiles and runs it, every SQL block is run there, and diagrams come from their tables.
 * {@code ./mvnw test -pl kafka -am -Dtest=DocsTest -DupdateDocs=true} writes the blocks anew.
 */
final class DocsTest {
  private static final String HOW_TO_FIX =
      "Change the region in DocSnippetsTest.java (or the table), never the block, and run"
          + " ./mvnw test -pl kafka -am -Dtest=DocsTest -DupdateDocs=true, which writes the blocks"
          + " anew.";
  private static final Pattern LINK = Pattern.compile("]\\(([^)#\\s]+)(?:#[^)]*)?\\)");

  @Test
  void everyJavaBlockAndDiagramIsTheOneThatIsCompiledOrGenerated() throws IOException {
    Map<String, String> regions = DocPages.regions();
    Map<String, String> generated =
        Map.of("relay-phases", relayPhases(), "owner-protocol", ownerProtocol());
    Set<String> unused = new HashSet<>(regions.keySet());
    unused.addAll(generated.keySet());
    List<String> problems = new ArrayList<>();
    for (Path page : DocPages.pages()) {
      Map<Block, String> stale = new HashMap<>();
      for (Block block : DocPages.blocks(page)) {
        boolean isDiagram = block.language().equals("mermaid");
        if (!isDiagram && !block.language().equals("java")) {
          continue;
        }
        @Nullable String name = block.marker();
        @Nullable String expected =
            name == null ? null : (isDiagram ? generated : regions).get(name);
        if (expected == null) {
          problems.add(
              "%s, line %d: a %s block needs a line <!-- snippet:NAME --> (diagrams: <!-- generated:NAME -->) above it that names one of %s; it has %s."
                  .formatted(
                      DocPages.name(page),
                      block.firstLine(),
                      block.language(),
                      (isDiagram ? generated : regions).keySet(),
                      name));
          continue;
        }
        unused.remove(name);
        if (!expected.equals(block.text().stripIndent().strip())) {
          stale.put(block, expected);
        }
      }
      if (Boolean.getBoolean("updateDocs")) {
        rewrite(page, stale);
      } else {
        stale.forEach(
            (block, expected) ->
                problems.add(
                    "%s, line %d: the block %s is not what is compiled, which is:%n%s"
                        .formatted(
                            DocPages.name(page), block.firstLine(), block.marker(), expected)));
      }
    }
    if (!unused.isEmpty()) {
      problems.add("No page shows " + unused + ". Show them or delete the regions.");
    }
    if (!problems.isEmpty()) {
      fail(String.join("\n\n", problems) + "\n\n" + HOW_TO_FIX);
    }
  }

  @Test
  void everySqlBlockIsRun() throws IOException {
    String source = DocPages.snippetSource();
    for (Path page : DocPages.pages()) {
      for (Block block : DocPages.blocks(page)) {
        if (block.language().equals("sql")) {
          assertThat(block.marker())
              .as(
                  "%s, line %d: an sql block needs a line <!-- snippet:NAME --> above it",
                  DocPages.name(page), block.firstLine())
              .isNotNull();
          assertThat(source)
              .as(
                  "%s, line %d: nothing runs this block; call sql(\"%s\") in DocSnippetsTest",
                  DocPages.name(page), block.firstLine(), block.marker())
              .contains("sql(\"" + block.marker() + "\")");
        }
      }
    }
  }

  @Test
  void everyLinkInsideTheRepositoryLeadsToAFile() throws IOException {
    for (Path page : DocPages.pages()) {
      Matcher links = LINK.matcher(Files.readString(page));
      while (links.find()) {
        String target = links.group(1);
        if (!target.contains("://")) {
          assertThat(page.resolveSibling(target))
              .as("%s links to %s", DocPages.name(page), target)
              .exists();
        }
      }
    }
  }

  private static void rewrite(Path page, Map<Block, String> stale) throws IOException {
    List<Block> fromTheEnd = new ArrayList<>(stale.keySet());
    fromTheEnd.sort((a, b) -> Integer.compare(b.firstLine(), a.firstLine()));
    List<String> lines = new ArrayList<>(Files.readAllLines(page));
    for (Block block : fromTheEnd) {
      List<String> old = lines.subList(block.firstLine(), block.firstLine() + block.lines().size());
      old.clear();
      String margin = " ".repeat(block.indent());
      lines.addAll(
          block.firstLine(),
          stale
              .getOrDefault(block, "")
              .lines()
              .map(line -> line.isEmpty() ? line : margin + line)
              .toList());
    }
    if (!stale.isEmpty()) {
      Files.writeString(page, String.join("\n", lines) + "\n");
    }
  }

  /** The state diagram of a relay; {@code CLOSE} leads from every phase to the end. */
  private static String relayPhases() {
    StringBuilder diagram = new StringBuilder("stateDiagram-v2\n    [*] --> STANDBY\n");
    for (RelayPhase.Transition row : RelayPhase.TABLE) {
      diagram.append("    %s --> %s: %s\n".formatted(row.from(), row.to(), row.event()));
    }
    return diagram.append("    CLOSED --> [*]").toString();
  }

  /** The states of an operation across databases; where no row leads on it ends. */
  private static String ownerProtocol() {
    List<OwnerProtocol.Transition> table = OwnerProtocol.STANDARD.table();
    StringBuilder diagram = new StringBuilder("stateDiagram-v2\n    [*] --> WORKING\n");
    for (OwnerProtocol.Transition row : table) {
      diagram.append(
          "    %s --> %s: %s / %s\n".formatted(row.from(), row.to(), row.event(), row.action()));
    }
    for (OwnerProtocol.State state : OwnerProtocol.State.values()) {
      if (table.stream().noneMatch(row -> row.from() == state)) {
        diagram.append("    %s --> [*]\n".formatted(state));
      }
    }
    return diagram.toString().strip();
  }
}
