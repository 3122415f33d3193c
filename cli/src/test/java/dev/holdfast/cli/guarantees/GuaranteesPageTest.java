package dev.holdfast.cli.guarantees;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cli.Json;
import dev.holdfast.cli.Run;
import dev.holdfast.guarantee.Clause;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Every clause is attacked by a test, and GUARANTEES.md says what the model says. {@code ./mvnw
 * test -pl cli -am -Dtest=GuaranteesPageTest -DupdateDocs=true} writes both down anew.
 */
class GuaranteesPageTest {
  private static final Path PROJECT = Path.of("..").toAbsolutePath().normalize();
  private static final Path ATTACKS =
      PROJECT.resolve("cli/src/main/resources/dev/holdfast/cli/guarantees/" + Attacks.RESOURCE);
  private static final Path PAGE = PROJECT.resolve("GUARANTEES.md");
  private static final Set<String> CLAUSES =
      Sheets.all().stream()
          .flatMap(guarantee -> guarantee.clauses().stream())
          .map(Clause::id)
          .collect(Collectors.toCollection(TreeSet::new));

  private static TestSources sources;

  @BeforeAll
  static void read() throws IOException {
    try (Stream<Path> modules = Files.list(PROJECT)) {
      List<Path> roots =
          Stream.concat(
                  modules.map(module -> module.resolve("src/test/java")),
                  Stream.of(PROJECT.resolve("crashtest/src/main/java")))
              .filter(Files::isDirectory)
              .sorted()
              .toList();
      sources = TestSources.of(roots);
    }
  }

  @Test
  void everyClauseIsAttackedAndNothingElseIs() {
    assertThat(AttackCheck.problems(CLAUSES, sources)).isEmpty();
  }

  @Test
  void clauseWithoutAttackIsFound() {
    Set<String> more = new TreeSet<>(CLAUSES);
    more.add("outbox.delivery.instantly");

    assertThat(AttackCheck.problems(more, sources))
        .singleElement()
        .asString()
        .contains("No test attacks the clause outbox.delivery.instantly.");
  }

  @Test
  void attacksThatAreNoneAreFound(@TempDir Path directory) throws IOException {
    Files.writeString(
        directory.resolve("Made.java"),
        """
        abstract class Base { @Test @Attacks("outbox.order") void base() {} }
        abstract class Run { @Test @Attacks("outbox.order") void run() {} }
        class DerivedTest extends Run {}
        abstract class Lost { @Test @Attacks("outbox.order") void lost() {} }
        @Disabled class OffLostTest extends Lost {}
        class Helper { @Test @Attacks("outbox.order") void helper() {} }
        class MadeTest {
          @Attacks("outbox.order") void noTest() {}
          @Test @Attacks("outbox.order") private void hidden() {}
          @Test @Disabled("later") @Attacks("outbox.order") void off() {}
          @Test @EnabledOnOs(OS.MAC) @Attacks("outbox.order") void elsewhere() {}
          @Test @Attacks({"outbox.order", "made.up"}) void unknown() {}
          class InnerTest { @Test @Attacks("outbox.order") void inner() {} }
        }
        @Disabled class OffTest { @Test @Attacks("outbox.order") void off() {} }
        """);

    assertThat(AttackCheck.problems(Set.of("outbox.order"), TestSources.of(List.of(directory))))
        .containsExactlyInAnyOrder(
            "Nobody runs Base.base in the build.",
            "Nobody runs Lost.lost in the build.",
            "Nobody runs Helper.helper in the build.",
            "Nobody runs InnerTest.inner in the build.",
            "MadeTest.noTest is no test.",
            "MadeTest.hidden is no test.",
            "MadeTest.off is disabled.",
            "MadeTest.elsewhere is disabled.",
            "MadeTest.unknown attacks made.up, which is no clause. There are [outbox.order].",
            "OffTest.off is disabled.");
  }

  @Test
  void pageSaysWhatTheModelSays() throws IOException {
    Attacks attacks = new Attacks(AttackCheck.byClause(sources));
    String json = Json.text(attacks.byClause());
    String page = MarkdownPage.of(Sheets.all(), attacks);
    if (Boolean.getBoolean("updateDocs")) {
      Files.writeString(ATTACKS, json);
      Files.writeString(PAGE, page);
    }

    assertThat(Files.readString(ATTACKS)).isEqualTo(json);
    assertThat(Files.readString(PAGE)).isEqualTo(page);
  }

  @Test
  void commandPrintsThePage() throws IOException {
    if (!Boolean.getBoolean("updateDocs")) {
      assertThat(Run.of("guarantees", "--markdown").result()).isEqualTo(Files.readString(PAGE));
    }
  }
}
