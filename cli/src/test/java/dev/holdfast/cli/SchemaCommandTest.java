package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import org.junit.jupiter.api.Test;

class SchemaCommandTest {
  @Test
  void tablesAreMissingThenMigratedThenUpToDate() {
    String database = TestDatabases.create();

    assertThat(Run.line("schema status --database", database).result())
        .contains("outbox", "missing", "Run: holdfast schema migrate");
    JsonNode missing = Run.line("schema status --json --database", database).json();
    assertThat(missing.at("/migrations/0/applied").asBoolean()).isFalse();
    assertThat(missing.path("usable").asBoolean()).isFalse();
    assertThat(missing.path("problem").asText()).contains("schema migrate");

    assertThat(Run.line("schema migrate --database", database).result())
        .isEqualTo("Applied [1, 2, 3, 4, 5, 6, 7, 8, 9, 10].\n");
    assertThat(Run.line("schema migrate --database", database).result()).contains("up to date");
    assertThat(Run.line("schema migrate --json --database", database).json().path("applied"))
        .isEmpty();

    assertThat(Run.line("schema status --database", database).result())
        .contains("applied")
        .doesNotContain("missing");
    JsonNode applied = Run.line("schema status --json --database", database).json();
    assertThat(applied.at("/migrations/0/name").asText()).isEqualTo("outbox");
    assertThat(applied.at("/migrations/0/applied").asBoolean()).isTrue();
    assertThat(applied.path("usable").asBoolean()).isTrue();
    assertThat(applied.path("problem").isNull()).isTrue();
  }

  @Test
  void printedSqlRunsAsItIsAndIsThenKnown() throws Exception {
    String database = TestDatabases.create();

    TestDatabases.execute(
        database,
        Run.line("schema print --schema elsewhere").result(),
        Run.line("schema print --schema elsewhere --roles --json").json().path("sql").asText());

    assertThat(
            Run.line("schema status --json --schema elsewhere --database", database)
                .json()
                .path("usable")
                .asBoolean())
        .isTrue();
    assertThat(Run.line("schema print --from 10").result()).isEmpty();
  }

  @Test
  void tablesThatAreTooNewAreLeftAlone() throws Exception {
    String database = TestDatabases.create();
    Run.line("schema migrate --database", database).result();
    TestDatabases.execute(
        database, "insert into holdfast.schema_version (version, name) values (99, 'future')");

    assertThat(Run.line("schema migrate --database", database).error())
        .contains("version 99", "Nothing was changed", "Run a newer version");
    assertThat(Run.line("schema status --database", database).result())
        .contains("version 99", "Run a newer version");
    assertThat(Run.line("outbox status --database", database).error())
        .contains("version 99", "Nothing was changed", "Run a newer version");
    assertThat(Run.line("relay --kafka 127.0.0.1:1 --database", database).error())
        .contains("version 99", "Run a newer version");
  }

  @Test
  void whatCannotBePrintedIsSaid() {
    assertThat(Run.line("schema print --from -1").error()).contains("--from is -1");
    assertThat(Run.line("schema print --schema Bad").error()).contains("Bad");
  }
}
