package dev.holdfast.cli.reconcile;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.Credentials;
import dev.holdfast.cli.DatabaseAddress;
import dev.holdfast.cli.DatabaseOptions;
import dev.holdfast.cli.Json;
import dev.holdfast.cli.LogLevel;
import dev.holdfast.cli.relay.UntilSignalled;
import dev.holdfast.postgres.reconcile.PostgresSide;
import dev.holdfast.reconcile.ReconcileListener;
import dev.holdfast.reconcile.Reconciliation;
import dev.holdfast.reconcile.Report;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code holdfast reconcile}. */
@Command(
    name = "reconcile",
    description = {
      "Compares a table with what is derived of it: another table, a search index or a compacted"
          + " topic; says what is missing, extra or stale there, and repairs it if told to. Writers"
          + " may go on. Needs none of Holdfast's own tables.",
      "Exit status: 0 nothing is left that differs, 1 something is."
    })
public final class ReconcileCommand implements Callable<Integer> {
  private static final int CONNECTIONS = 3;
  private static final Duration LONGEST_WAIT_FOR_CONNECTION = Duration.ofSeconds(5);

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Mixin private DatabaseOptions database = new DatabaseOptions();

  @Mixin private SourceOptions source = new SourceOptions();

  @Mixin private DerivedOptions derived = new DerivedOptions();

  @Option(
      names = "--settle",
      paramLabel = "SECONDS",
      defaultValue = "30",
      description =
          "How long a change may take to arrive; what differs is read again after this (default:"
              + " ${DEFAULT-VALUE}).")
  private int settle;

  @Option(names = "--repair", description = "Repairs what is missing and what is stale.")
  private boolean repair;

  @Option(
      names = "--delete-extra",
      description = "With --repair: deletes what the source has not, too.")
  private boolean deleteExtra;

  @Option(
      names = "--limit",
      paramLabel = "N",
      defaultValue = "1000",
      description = "How many are repaired in a run (default: ${DEFAULT-VALUE}).")
  private int limit;

  @Option(names = "--json", paramLabel = "FILE", description = "Writes the report there, as JSON.")
  private @Nullable Path json;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Writes the report there, as a page.")
  private @Nullable Path html;

  @Option(
      names = "--every",
      paramLabel = "SECONDS",
      description = "Runs again, so long after each run, until it is told to end.")
  private @Nullable Integer every;

  @Option(
      names = "--print-index",
      description = "Changes and compares nothing: prints the index with which ranges are found.")
  private boolean printIndex;

  @Override
  public Integer call() throws Exception {
    requireDirectory("--json", json);
    requireDirectory("--html", html);
    if (deleteExtra && !repair) {
      throw new InvalidConfiguration(
          "--delete-extra is without --repair. Nothing was done. Give both, or neither.");
    }
    DatabaseAddress address = database.address();
    if (!printIndex) {
      address.verify();
    }
    try (LogLevel log = LogLevel.silent();
        HikariDataSource pool =
            address.pool("holdfast reconcile", CONNECTIONS, LONGEST_WAIT_FOR_CONNECTION)) {
      PostgresSide from = source.source(pool);
      if (printIndex) {
        out(from.index() + ";\n");
        return 0;
      }
      DerivedOptions.Derived to = derived.open(source, address, pool, System.getenv());
      try (AutoCloseable resource = to.resource()) {
        return run(reconciliation(from, to));
      }
    }
  }

  private Reconciliation reconciliation(PostgresSide from, DerivedOptions.Derived to) {
    Reconciliation.Builder builder =
        Reconciliation.of(from, to.side()).settle(Duration.ofSeconds(settle)).repairsAtMost(limit);
    if (repair) {
      builder.repair(to.repair().apply(from));
    }
    if (deleteExtra) {
      builder.deleteExtras();
    }
    return builder.build();
  }

  private int run(Reconciliation reconciliation) throws Exception {
    if (every == null) {
      Report report = reconciliation.run();
      show(report);
      return report.left() == 0 ? 0 : 1;
    }
    PrintWriter err = spec.commandLine().getErr();
    try (UntilSignalled signal = new UntilSignalled(err::println)) {
      signal.add(reconciliation.every(Duration.ofSeconds(every), new Shown(err)));
      signal.await();
    }
    return 0;
  }

  /** Tells each run, and goes on. */
  private final class Shown implements ReconcileListener {
    private final PrintWriter err;

    Shown(PrintWriter err) {
      this.err = err;
    }

    @Override
    public void ran(Report report) {
      try {
        show(report);
      } catch (UncheckedIOException e) {
        err.println("holdfast: the report could not be written: " + e.getMessage());
      }
    }

    @Override
    public void failed(RuntimeException failure) {
      err.println("holdfast: " + Credentials.mask(String.valueOf(failure.getMessage())));
      err.flush();
    }
  }

  private void show(Report report) {
    ReportText text = new ReportText(report);
    out(text.text());
    try {
      if (json != null) {
        Files.writeString(json, Json.text(text.json()));
      }
      if (html != null) {
        Files.writeString(html, ReportPage.render(report));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void out(String text) {
    spec.commandLine().getOut().print(text);
    spec.commandLine().getOut().flush();
  }

  private static void requireDirectory(String option, @Nullable Path file) {
    if (file == null) {
      return;
    }
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null || !Files.isDirectory(directory) || Files.isDirectory(file)) {
      throw new InvalidConfiguration(
          "%s is %s, where no file can be written. Nothing was done. Name a file in a directory that exists."
              .formatted(option, file));
    }
  }
}
