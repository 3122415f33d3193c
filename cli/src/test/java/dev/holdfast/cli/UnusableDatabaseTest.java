package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every command that needs a database says why it has none. */
class UnusableDatabaseTest {
  @SuppressWarnings("NullAway.Init")
  private static String empty;

  @BeforeAll
  static void createDatabase() throws Exception {
    empty = TestDatabases.create();
    TestDatabases.execute(empty, "create role guest login password 'right'");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "schema status",
        "schema migrate",
        "outbox status",
        "outbox list",
        "outbox park k",
        "outbox unpark k",
        "outbox skip 1",
        "outbox pause",
        "outbox resume",
        "outbox unroute orders.*",
        "outbox remove",
        "outbox reanchor",
        "takeover gruelbox",
        "recover --list",
        "events head",
        "events stream s",
        "projection list",
        "projection parked p",
        "projection replay p k",
        "reconcile --table t --derived-table t",
        "relay --kafka 127.0.0.1:1",
      })
  void becauseItIsNotThere(String command) {
    assertThat(Run.line(command, "--database", "postgresql://shop:s3cret@127.0.0.1:1/shop").error())
        .contains("jdbc:postgresql://127.0.0.1:1/shop", "refused", "Nothing was done", "--database")
        .doesNotContain("s3cret");
    assertThat(
            Run.line(
                    command,
                    "--database",
                    "jdbc:postgresql://127.0.0.1:%d/nodb?user=postgres&password=s3cret"
                        .formatted(TestDatabases.port()))
                .error())
        .contains("nodb", "does not exist", "Nothing was done")
        .doesNotContain("s3cret");
    assertThat(
            Run.line(
                    command,
                    "--database",
                    "postgresql://guest:s3cret@127.0.0.1:%d/postgres"
                        .formatted(TestDatabases.port()))
                .error())
        .contains("password authentication failed", "guest", "HOLDFAST_PASSWORD")
        .doesNotContain("s3cret");
    assertThat(Run.line(command, "--database", "jdbc:postgresql://no.such.host.invalid/x").error())
        .contains("no.such.host.invalid", "Nothing was done");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "outbox status",
        "outbox list",
        "outbox park k",
        "outbox unpark k",
        "outbox skip 1",
        "outbox pause",
        "outbox resume",
        "outbox unroute orders.*",
        "outbox reanchor",
        "takeover gruelbox",
        "recover --list",
        "events head",
        "events stream s",
        "projection list",
        "projection parked p",
        "projection replay p k",
      })
  void becauseItHasNoTables(String command) {
    assertThat(Run.line(command, "--database", empty).error())
        .contains("without Holdfast's tables", "Run: holdfast schema migrate");
    assertThat(Run.line(command, "--database", empty, "--schema", "Not;Valid").error())
        .contains("Not;Valid");
  }
}
