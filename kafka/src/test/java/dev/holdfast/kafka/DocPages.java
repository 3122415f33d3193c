package dev.holdfast.kafka;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The manual's pages and the code blocks in them. */
final class DocPages {
  private static final Path ROOT = Path.of("..").toAbsolutePath().normalize();
  private static final List<Path> SNIPPETS =
      List.of(
          Path.of("src/test/java/dev/holdfast/kafka/DocSnippetsTest.java"),
          ROOT.resolve("http/src/test/java/dev/holdfast/http/HttpSnippetsTest.java"),
          ROOT.resolve(
              "examples/src/test/java/dev/holdfast/examples/orders/CrashLabSnippetsTest.java"),
          ROOT.resolve("rabbitmq/src/test/java/dev/holdfast/rabbitmq/RabbitMqSnippetsTest.java"),
          ROOT.resolve(
              "postgres/src/test/java/dev/holdfast/postgres/twophase/TwoPhaseSnippetsTest.java"),
          ROOT.resolve(
              "postgres/src/test/java/dev/holdfast/postgres/reservation/ReservationSnippetsTest.java"),
          ROOT.resolve("postgres/src/test/java/dev/holdfast/postgres/WorkflowSnippetsTest.java"),
          ROOT.resolve(
              "opensearch/src/test/java/dev/holdfast/opensearch/EventLogSnippetsTest.java"),
          ROOT.resolve(
              "postgres/src/test/java/dev/holdfast/postgres/reconcile/ReconcileSnippetsTest.java"),
          ROOT.resolve("opensearch/src/test/java/dev/holdfast/opensearch/SearchReconcileTest.java"),
          ROOT.resolve("micrometer/src/test/java/dev/holdfast/micrometer/WorkflowMetersTest.java"),
          ROOT.resolve(
              "micrometer/src/test/java/dev/holdfast/micrometer/ProjectionMetersTest.java"),
          ROOT.resolve("micrometer/src/test/java/dev/holdfast/micrometer/ConsumerMetersTest.java"),
          ROOT.resolve("spring-boot-starter/src/test/java/dev/holdfast/spring/QueueApp.java"),
          ROOT.resolve(
              "opentelemetry/src/test/java/dev/holdfast/opentelemetry/WorkflowTracingTest.java"),
          ROOT.resolve("spring-boot-starter/src/test/java/dev/holdfast/spring/WorkflowsTest.java"),
          ROOT.resolve("spring-boot-starter/src/test/java/dev/holdfast/spring/EventLogTest.java"),
          ROOT.resolve("mariadb/src/test/java/dev/holdfast/mariadb/MariaDbSnippetsTest.java"),
          ROOT.resolve("jms/src/test/java/dev/holdfast/jms/JmsSnippetsTest.java"),
          ROOT.resolve("jta/src/test/java/dev/holdfast/jta/JtaSnippetsTest.java"),
          ROOT.resolve(
              "micrometer/src/test/java/dev/holdfast/micrometer/MetersOfADeliveryTest.java"),
          ROOT.resolve(
              "opentelemetry/src/test/java/dev/holdfast/opentelemetry/HoldfastTracingTest.java"),
          ROOT.resolve(
              "examples/spring/src/main/java/dev/holdfast/examples/spring/OrderService.java"),
          ROOT.resolve("spring-boot-starter/src/test/java/dev/holdfast/spring/ModulithTest.java"),
          ROOT.resolve("spring-boot-starter/src/test/java/dev/holdfast/spring/ListenerApp.java"),
          ROOT.resolve(
              "spring-boot-starter/src/test/java/dev/holdfast/spring/BatchListenerTest.java"),
          ROOT.resolve(
              "spring-boot-starter/src/test/java/dev/holdfast/spring/AtomicOperationsTest.java"),
          ROOT.resolve("examples/quarkus/src/main/java/dev/holdfast/examples/quarkus/Outbox.java"),
          ROOT.resolve(
              "examples/quarkus/src/main/java/dev/holdfast/examples/quarkus/OrderService.java"));
  private static final Pattern MARKER =
      Pattern.compile("<!-- (snippet|generated):([a-z0-9-]+) -->");

  private DocPages() {}

  /**
   * A fenced block.
   *
   * @param marker the name in the comment on the line before, if there is one
   * @param indent the columns before the fence
   * @param firstLine the index of the line after the opening fence
   */
  record Block(
      String language, @Nullable String marker, int indent, int firstLine, List<String> lines) {
    String text() {
      return String.join("\n", lines);
    }
  }

  static List<Path> pages() throws IOException {
    List<Path> pages = new ArrayList<>();
    for (String name : List.of("README.md", "ARCHITECTURE.md", "CHANGELOG.md", "CONTRIBUTING.md")) {
      pages.add(ROOT.resolve(name));
    }
    try (Stream<Path> docs = Files.walk(ROOT.resolve("docs"))) {
      docs.filter(path -> path.toString().endsWith(".md")).sorted().forEach(pages::add);
    }
    return pages;
  }

  static String name(Path page) {
    return ROOT.relativize(page).toString();
  }

  static List<Block> blocks(Path page) throws IOException {
    List<Block> blocks = new ArrayList<>();
    List<String> lines = Files.readAllLines(page);
    for (int i = 0; i < lines.size(); i++) {
      if (!lines.get(i).strip().startsWith("```")) {
        continue;
      }
      int indent = lines.get(i).indexOf('`');
      String language = lines.get(i).strip().substring(3).strip();
      Matcher marker = MARKER.matcher(i == 0 ? "" : lines.get(i - 1).strip());
      int first = i + 1;
      List<String> content = new ArrayList<>();
      for (i++; i < lines.size() && !lines.get(i).strip().startsWith("```"); i++) {
        content.add(lines.get(i));
      }
      blocks.add(
          new Block(language, marker.matches() ? marker.group(2) : null, indent, first, content));
    }
    return blocks;
  }

  /** The regions of the snippets' source, without their common indentation. */
  static Map<String, String> regions() throws IOException {
    Map<String, String> regions = new LinkedHashMap<>();
    @Nullable String name = null;
    StringBuilder text = new StringBuilder();
    for (String line : snippetSource().lines().toList()) {
      String stripped = line.strip();
      if (stripped.startsWith("// snippet:")) {
        name = stripped.substring("// snippet:".length());
        text.setLength(0);
      } else if (stripped.equals("// end") && name != null) {
        regions.put(name, text.toString().stripTrailing().stripIndent());
        name = null;
      } else if (name != null) {
        text.append(line).append('\n');
      }
    }
    return regions;
  }

  /** The one {@code sql} block of that name on any page. */
  static String sql(String name) throws IOException {
    List<String> found = new ArrayList<>();
    for (Path page : pages()) {
      for (Block block : blocks(page)) {
        if (block.language().equals("sql") && name.equals(block.marker())) {
          found.add(block.text());
        }
      }
    }
    if (found.size() != 1) {
      throw new IllegalStateException(
          "There are %d sql blocks marked <!-- snippet:%s --> in the manual, and there must be one."
              .formatted(found.size(), name));
    }
    return found.get(0);
  }

  static String snippetSource() throws IOException {
    StringBuilder all = new StringBuilder();
    for (Path source : SNIPPETS) {
      all.append(Files.readString(source));
    }
    return all.toString();
  }
}
