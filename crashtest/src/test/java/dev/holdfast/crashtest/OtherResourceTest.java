package dev.holdfast.crashtest;

import static dev.holdfast.crashtest.Expect.effect;
import static dev.holdfast.crashtest.Expect.row;
import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.ExplorationReport;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import dev.holdfast.crashtest.resource.Change;
import dev.holdfast.crashtest.resource.Commit;
import dev.holdfast.crashtest.resource.CommitAction;
import dev.holdfast.crashtest.resource.Fence;
import dev.holdfast.crashtest.resource.Hook;
import dev.holdfast.crashtest.resource.Site;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A resource that the lab does not know: lines of a file. */
final class OtherResourceTest {
  @TempDir private Path directory;

  private String orders = "";

  @BeforeEach
  void table() {
    orders = LabServers.keyedTable("orders");
  }

  /** Appends to a file, for as long as its process lives. */
  private static final class Journal implements Fence {
    private final Hook hook;
    private final Path file;
    private volatile boolean cut;

    Journal(Hook hook, Path file) {
      this.hook = hook;
      this.file = file;
      hook.fence(this);
    }

    void append(String line) throws IOException {
      hook.commit(
          new Commit("journal", "append", "", List.of(new Change("journal", Site.current()))),
          new CommitAction<Boolean, IOException>() {
            @Override
            public Boolean perform() throws IOException {
              if (cut) {
                throw new IOException("The journal is gone.");
              }
              Files.writeString(
                  file, line + "\n", StandardOpenOption.CREATE, StandardOpenOption.APPEND);
              return true;
            }

            @Override
            public boolean awaitEffect(Boolean answer) {
              return true;
            }

            @Override
            public Boolean performLosingAnswer() {
              throw new UnsupportedOperationException("A file gives no answer that could be lost.");
            }
          });
    }

    @Override
    public void cut() {
      cut = true;
    }

    @Override
    public void end() {
      // Nothing is open.
    }

    @Override
    public void reopen() {
      // The next process has a journal of its own.
    }

    @Override
    public void close() {
      // Nothing is open.
    }
  }

  private record Shop(TwoTables tables, Journal journal) {}

  @Test
  void isExploredAsAnyOther() {
    Path file = directory.resolve("journal");
    ExplorationReport report =
        CrashLab.explore(
            "save and write down",
            CrashLab.Options.defaults(),
            lab ->
                lab.application(
                        resources ->
                            new Shop(
                                new TwoTables(
                                    resources.dataSource("shop", LabServers.url()), orders, orders),
                                new Journal(resources.hook("journal"), file)))
                    .operation(
                        (shop, key) -> {
                          try (java.sql.Connection connection =
                              shop.tables().dataSource.getConnection()) {
                            TwoTables.insert(connection, orders, key);
                          }
                          shop.journal().append(key);
                        })
                    .expect(
                        row(orders).byKey().once(),
                        effect("journal", "line", key -> count(file, key)).once()));
    assertThat(report.points())
        .extracting(point -> point.role().toString())
        .last()
        .isEqualTo("journal: append");
    assertThat(report.runs()).hasSize(6);
    assertThat(report.runs().stream().filter(run -> !run.passed()))
        .extracting(RunReport::replayId)
        .allMatch(id -> id.matches("fenced:(ack-lost@1|before@2)-.*"))
        .hasSize(2);
    assertThat(report.findings()).extracting(Finding::verdict).containsOnly(Verdict.LOST);
    assertThat(report.findings().findFirst().orElseThrow().text())
        .contains("line at journal is missing (to be made at OtherResourceTest");
  }

  private static int count(Path file, String key) {
    try {
      return Files.exists(file)
          ? (int) Files.readAllLines(file).stream().filter(key::equals).count()
          : 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
