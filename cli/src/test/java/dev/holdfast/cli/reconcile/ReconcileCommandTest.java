package dev.holdfast.cli.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.cli.Run;
import dev.holdfast.cli.TestDatabases;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.devservices.OpenSearchServer;
import dev.holdfast.opensearch.SearchEngine;
import dev.holdfast.opensearch.SearchIndex;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class ReconcileCommandTest {
  private final String source = TestDatabases.create();
  private final String derived = TestDatabases.create();

  @TempDir Path directory;

  @BeforeEach
  void differ() throws Exception {
    String table =
        "create table orders (id int primary key, version int not null, note text, changed timestamptz default now())";
    String rows =
        "insert into orders select i, 1, 'n' || i, '2026-01-01Z' from generate_series(1, 300) i";
    TestDatabases.execute(
        source,
        table,
        rows,
        "update orders set version = 2, note = '<b>&' where id in (4, 5)",
        "delete from orders where id = 6");
    TestDatabases.execute(derived, table, rows, "delete from orders where id in (1, 2, 3)");
  }

  private Run reconcile(String... more) {
    List<String> all =
        new ArrayList<>(
            List.of(
                "--database",
                source,
                "--table",
                "orders",
                "--derived-table",
                "public.orders",
                "--derived-database",
                derived,
                "--settle",
                "0"));
    all.addAll(List.of(more));
    return Run.line("reconcile", all.toArray(String[]::new));
  }

  @Test
  @Attacks("reconcile.asked")
  void aDryRunSaysWhatDiffersAndChangesNothing() throws Exception {
    Path json = directory.resolve("report.json");
    Path html = directory.resolve("report.html");

    Run run =
        reconcile("--json", json.toString(), "--html", html.toString(), "--changed-at", "changed");

    assertThat(run.err()).isEmpty();
    assertThat(run.status()).isEqualTo(1);
    assertThat(run.out())
        .contains("table public.orders with table public.orders: 3 missing, 1 extra, 2 stale.")
        .contains("A dry run", "The oldest difference");
    JsonNode report = new ObjectMapper().readTree(Files.readString(json));
    assertThat(report.path("differences").path("missing").asInt()).isEqualTo(3);
    assertThat(report.path("left").asInt()).isEqualTo(6);
    assertThat(report.path("drift_age_ms").asLong()).isGreaterThan(1_000_000);
    assertThat(report.path("samples")).hasSize(6);
    assertThat(Files.readString(html)).startsWith("<!doctype html>").contains("✗ 3 missing");
    assertThat(reconcile().status()).isEqualTo(1);
  }

  @Test
  @Attacks("reconcile.asked")
  void itRepairsAsFarAsItIsTold() {
    Run limited = reconcile("--repair", "--limit", "2");
    assertThat(limited.out()).contains("2 repaired, 0 overtaken by a change, 0 refused; 4 left.");
    assertThat(limited.status()).isEqualTo(1);

    Run rest = reconcile("--repair");
    assertThat(rest.out()).contains("3 repaired", "1 left");
    assertThat(rest.status()).isEqualTo(1);

    assertThat(reconcile("--repair", "--delete-extra").result()).contains("1 repaired", "0 left");
    assertThat(reconcile().result()).contains("No drift.");
  }

  @Test
  void contentIsComparedWhereNobodyCountsVersions() {
    assertThat(reconcile("--content", "version,note").out())
        .contains("3 missing, 1 extra, 2 stale.");
  }

  @Test
  void theIndexIsPrintedForWhoeverMayMakeIt() throws Exception {
    String sql = reconcile("--print-index").result();
    assertThat(sql).startsWith("create index concurrently on \"public\".\"orders\"");
    TestDatabases.execute(source, sql);
  }

  @Test
  void anIndexIsComparedAndRepaired() throws Exception {
    try (OpenSearchServer server = OpenSearchServer.start()) {
      SearchIndex.of(SearchEngine.at(server.uri()), "orders").comparable().create();
      String[] options = {
        "--database",
        source,
        "--table",
        "orders",
        "--derived-index",
        "orders",
        "--search",
        server.uri().toString(),
        "--settle",
        "0",
        "--columns",
        "id,note"
      };
      Run first = Run.line("reconcile --repair --limit 500", options);
      assertThat(first.out()).contains("299 missing.", "299 repaired");
      assertThat(first.status()).isZero();
      TestDatabases.execute(source, "delete from orders where id = 9");
      assertThat(Run.line("reconcile", options).out()).contains("1 extra.");
      assertThat(Run.line("reconcile --repair --delete-extra", options).result())
          .contains("1 repaired");
      assertThat(Run.line("reconcile", options).result()).contains("No drift.");
    }
  }

  @Test
  void whatCannotBeDoneIsOneMessage() {
    assertThat(Run.line("reconcile --table orders", "--database", source).error())
        .contains("Give one of --derived-table, --derived-index and --derived-topic");
    assertThat(reconcile("--derived-index", "x").error()).contains("Give one of");
    assertThat(reconcile("--version-column", "no column").error()).contains("42703");
    assertThat(reconcile("--delete-extra").error()).contains("without --repair");
    assertThat(reconcile("--json", "/nowhere/report.json").error()).contains("--json");
    assertThat(reconcile("--version-column", "version", "--content", "note").error())
        .contains("Give one");
    assertThat(
            Run.line(
                    "reconcile --table orders --derived-table orders --derived-database postgresql://shop:s3cret@127.0.0.1:1/shop",
                    "--database",
                    source)
                .error())
        .contains("refused", "HOLDFAST_DERIVED_PASSWORD")
        .doesNotContain("s3cret");
    assertThat(
            Run.line(
                    "reconcile --table orders --derived-index orders --search http://elastic:s3cret@127.0.0.1:1",
                    "--database",
                    source)
                .error())
        .contains("has a user or a password")
        .doesNotContain("s3cret");
    assertThat(
            Run.line(
                    "reconcile --table orders --derived-index orders --search http://127.0.0.1:1",
                    "--database",
                    source)
                .error())
        .contains("cannot be connected to");
    assertThat(
            Run.line(
                    "reconcile --table orders --derived-topic orders --kafka 127.0.0.1:1",
                    "--database",
                    source)
                .error())
        .contains("--version-header NAME");
  }
}
