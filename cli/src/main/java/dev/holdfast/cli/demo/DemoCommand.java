package dev.holdfast.cli.demo;

import dev.holdfast.cli.Json;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code holdfast demo}. */
@Command(
    name = "demo",
    description = {
      "Shows what becomes of orders and their messages when an order service is killed: the usual"
          + " code beside Holdfast, on a real PostgreSQL and a real Kafka that are killed as well.",
      "Exit status 1 when a strategy that promises zeros does not show them."
    })
public final class DemoCommand implements Callable<Integer> {
  @Option(
      names = "--operations",
      paramLabel = "N",
      defaultValue = "3000",
      description = "Orders per strategy (default: ${DEFAULT-VALUE}).")
  private int operations;

  @Option(
      names = "--kills",
      paramLabel = "K",
      defaultValue = "8",
      description = "SIGKILLs of the service per strategy (default: ${DEFAULT-VALUE}).")
  private int kills;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Decides who orders what and when what is killed (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--strategies",
      paramLabel = "A,B",
      split = ",",
      description = "db-then-broker, broker-then-db, outbox (default: all of them).")
  private List<String> strategies = new ArrayList<>();

  @Option(names = "--json", paramLabel = "FILE", description = "Writes the figures there, as JSON.")
  private @Nullable Path json;

  @Option(
      names = "--keep",
      description = "Keeps the servers' data and the services' logs, and says where they are.")
  private boolean keep;

  @Override
  public Integer call() throws IOException, InterruptedException, SQLException {
    DemoSettings settings =
        new DemoSettings(operations, kills, seed, DemoSettings.strategies(strategies));
    Progress progress = new Progress(System.err, Boolean.getBoolean("holdfast.terminal"));
    Path directory = Files.createTempDirectory("holdfast-demo-");
    DemoReport report;
    try {
      report = run(settings, directory, progress);
    } finally {
      progress.clear();
      if (keep) {
        System.err.println("Data and logs are kept in " + directory);
      } else {
        delete(directory);
      }
    }
    System.out.print(report.table());
    System.out.println();
    System.out.println(DemoReport.MEANING);
    if (json != null) {
      Files.writeString(json, Json.text(report.json()));
    }
    return verdict(report);
  }

  private static int verdict(DemoReport report) {
    for (StrategyResult result : report.results()) {
      if (!result.isAsPromised()) {
        System.err.printf(
            "%s promises zeros and did not show them%s: this is a defect in Holdfast. Run again"
                + " with --seed %d --keep, and report what it left.%n",
            result.kind().id(),
            result.settled() ? "" : " (it had not delivered everything within a minute)",
            report.seed());
      }
    }
    return report.isAsPromised() ? 0 : 1;
  }

  private DemoReport run(DemoSettings settings, Path directory, Progress progress)
      throws InterruptedException, SQLException, IOException {
    progress.say("Starting PostgreSQL and Kafka ...");
    PostgresServer.Builder postgresBuilder = PostgresServer.builder();
    KafkaServer.Builder kafkaBuilder = KafkaServer.builder();
    if (keep) {
      // The servers may run as another user, who has to reach their data.
      Files.setPosixFilePermissions(directory, PosixFilePermissions.fromString("rwx--x--x"));
      postgresBuilder.dataDirectory(directory.resolve("postgres"));
      kafkaBuilder.dataDirectory(directory.resolve("kafka"));
    }
    CompletableFuture<KafkaServer> starting = CompletableFuture.supplyAsync(kafkaBuilder::start);
    try (PostgresServer postgres = postgresBuilder.start();
        KafkaServer kafka = join(starting)) {
      return new Demo(postgres, kafka, settings, directory, progress).run();
    }
  }

  private static KafkaServer join(CompletableFuture<KafkaServer> starting) {
    try {
      return starting.join();
    } catch (CompletionException e) {
      throw e.getCause() instanceof RuntimeException cause ? cause : e;
    }
  }

  private static void delete(Path directory) throws IOException {
    try (Stream<Path> files = Files.walk(directory)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(file);
      }
    }
  }
}
