package dev.holdfast.cli.demo;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast demo}. */
@Command(
    name = "demo",
    description = {
      "Shows what becomes of orders and their messages when services are killed under load: the"
          + " usual code beside Holdfast, on real servers of PostgreSQL, Kafka and OpenSearch that are"
          + " killed as well.",
      "",
      "Strategies of an order service of two instances, which writes an order and its message:",
      "  db-then-broker    commits the order, then sends its message",
      "  broker-then-db    sends the message, then commits the order",
      "  outbox            Holdfast: records the message in the order's commit",
      "",
      "Strategies of a shipping service with a database of its own, which makes a shipment of each"
          + " order. It is killed as often, and the order service sends by the outbox:",
      "  consume-then-ack  commits the shipments, then the offsets",
      "  ack-then-consume  commits the offsets, then the shipments",
      "  inbox             Holdfast: keeps the offsets in the shipments' commit",
      "  webhook           Holdfast: gets the orders by HTTP, and keeps the answer in the shipment's"
          + " commit; one instance",
      "",
      "Strategies of an order service that writes an order, and an entry in a ledger in the database"
          + " of another server. That is killed as well, and both databases lose replies:",
      "  two-databases-naive  commits the order, then the entry",
      "  two-phase            Holdfast: commits both or neither, and leaves nothing prepared",
      "",
      "Strategies of an order service that has a card charged by a payment provider, which loses"
          + " replies, answers late, and is killed. An order holds stock meanwhile, and some are"
          + " declined, or undone when they are paid:",
      "  checkout-naive    commits the order, calls the provider, commits the outcome, sends the"
          + " message",
      "  checkout          Holdfast: a workflow, with reservations and the outbox",
      "",
      "Strategies of an order service whose orders change, or delete, products of a catalogue that is"
          + " searched in OpenSearch. That is killed twice, answers of it are lost or come late, and"
          + " so do requests to it:",
      "  search-naive      commits the change, then writes the document, or deletes it, and tries again"
          + " in the background",
      "  search            Holdfast: records an event in the change's commit, which is published to the"
          + " index, each document with a version",
      "",
      "Exit status 1 when a strategy that promises zeros (outbox, inbox, webhook, two-phase, checkout,"
          + " search) does not show them.",
      ""
    },
    footer = {"", "The figures, one row per strategy:", DemoReport.MEANING})
public final class DemoCommand implements Callable<Integer> {
  @Option(
      names = "--operations",
      paramLabel = "N",
      defaultValue = "1200",
      description = "Orders per strategy (default: ${DEFAULT-VALUE}).")
  private int operations;

  @Option(
      names = "--kills",
      paramLabel = "K",
      defaultValue = "8",
      description = {
        "SIGKILLs of the order service per strategy (default: ${DEFAULT-VALUE}). Where shipments are"
            + " counted it gets a quarter as many, and the shipping service half as many. Where there"
            + " is a ledger, each database also loses as many replies, and where there is an index,"
            + " the order service's does. Where there is a payment"
            + " provider, that gets half as many, and the order service's database loses three"
            + " times as many replies."
      })
  private int kills;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Decides who orders what and when what is killed (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--strategies",
      paramLabel = "NAME",
      split = ",",
      description = "Any of those above, separated by commas (default: all of them).")
  private List<String> strategies = new ArrayList<>();

  @Option(names = "--json", paramLabel = "FILE", description = "Writes the figures there, as JSON.")
  private @Nullable Path json;

  @Option(
      names = "--keep",
      description =
          "Keeps the servers' data (not OpenSearch's) and the services' logs, and says where they are.")
  private boolean keep;

  @Override
  public Integer call() throws IOException, InterruptedException, SQLException {
    DemoSettings settings =
        new DemoSettings(operations, kills, seed, DemoSettings.strategies(strategies));
    if (json != null) {
      requireWritable(json);
    }
    Progress progress = new Progress(System.err, Boolean.getBoolean("holdfast.terminal"));
    DemoReport report;
    try (DemoDirectory directory = DemoDirectory.create(keep, progress)) {
      report = run(settings, directory.path(), progress);
    }
    System.out.print(report.table());
    System.out.println();
    System.out.print(DemoReport.MEANING);
    if (json != null) {
      Files.writeString(json, Json.text(report.json()));
    }
    return verdict(report);
  }

  /** Before minutes of work rather than after them. */
  private static void requireWritable(Path file) {
    Path parent = file.toAbsolutePath().getParent();
    boolean writable =
        Files.exists(file)
            ? Files.isRegularFile(file) && Files.isWritable(file)
            : parent != null && Files.isWritable(parent);
    if (!writable) {
      throw new InvalidConfiguration(
          "The file %s of --json cannot be written. Nothing was started. Choose another."
              .formatted(file));
    }
  }

  /** The exit status, and why. */
  static int verdict(DemoReport report) {
    for (StrategyResult result : report.results()) {
      if (!result.isAsPromised()) {
        System.err.printf(
            "%s promises zeros and did not show them%s: this is a defect in Holdfast. Run again"
                + " with --seed %d --keep, and report what it left.%n",
            result.kind().id(),
            result.settled() ? "" : " (not everything had come to its end within a minute)",
            report.seed());
      }
    }
    return report.isAsPromised() ? 0 : 1;
  }

  private DemoReport run(DemoSettings settings, Path directory, Progress progress)
      throws InterruptedException, SQLException {
    progress.say("Starting the servers ...");
    try (Servers servers = Servers.start(settings.strategies(), keep ? directory : null)) {
      return new Demo(servers, settings, directory, progress).run();
    }
  }
}
