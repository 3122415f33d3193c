package dev.holdfast.cli.prove;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.Json;
import dev.holdfast.cli.LogLevel;
import dev.holdfast.cli.prove.twophase.TwoPhaseProofCommand;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.ConsoleReport;
import dev.holdfast.crashtest.report.HtmlReport;
import dev.holdfast.crashtest.report.JsonReport;
import dev.holdfast.crashtest.report.Problem;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.resource.KafkaBroker;
import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.examples.orders.OrdersLab;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code holdfast prove}. */
@Command(
    name = "prove",
    subcommands = TwoPhaseProofCommand.class,
    description = {
      "Crashes an order service at every point where it commits something, and loses every answer:"
          + " once with a dual write, once with the outbox, on a real PostgreSQL and a real Kafka.",
      "Exit status 1 when the outbox does not hold everywhere, or when the dual write does: a check"
          + " that cannot fail proves nothing."
    })
public final class ProveCommand implements Callable<Integer> {
  private static final Set<Carrier> USUAL = EnumSet.of(Carrier.FENCED, Carrier.LOST_ACK);

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = "--strategies",
      paramLabel = "A,B",
      split = ",",
      description = "dual-write, outbox (default: both).")
  private List<String> strategies = new ArrayList<>();

  @Option(
      names = "--carriers",
      paramLabel = "A,B",
      split = ",",
      description =
          "fenced: simulated crashes; lost-ack: lost answers; forked: crashes of real processes,"
              + " which take longer (default: fenced,lost-ack).")
  private List<String> carriers = new ArrayList<>();

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description = "Decides the keys of the orders (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--replay",
      paramLabel = "ID",
      description =
          "Makes the one run again of which the report has shown this id, after one without any"
              + " fault. Name its strategy. Exit status 1 when it finds anything.")
  private @Nullable String replay;

  @Option(names = "--json", paramLabel = "FILE", description = "Writes all runs there, as JSON.")
  private @Nullable Path json;

  @Option(
      names = "--html",
      paramLabel = "FILE",
      description = "Writes the crash matrix there, as a page.")
  private @Nullable Path html;

  @Override
  public Integer call() throws IOException, SQLException {
    List<Subject> subjects = Subject.named(strategies);
    CrashLab.Options options = options();
    requireDirectory("--json", json);
    requireDirectory("--html", html);
    List<Proof> proofs = explore(subjects, options);
    if (json != null) {
      Files.writeString(json, Json.text(document(proofs)));
    }
    if (html != null) {
      Files.writeString(html, HtmlReport.render(proofs.stream().map(Proof::report).toList()));
    }
    return proofs.stream().allMatch(Proof::isShown) ? 0 : 1;
  }

  private CrashLab.Options options() {
    CrashLab.Options all =
        new CrashLab.Options(carriers(carriers), 0, false, seed, /* replay= */ "");
    if (replay == null) {
      return all;
    }
    if (strategies.size() != 1) {
      throw new InvalidConfiguration(
          "--replay is of one strategy. Nothing was started. Add --strategies dual-write or --strategies outbox, whichever the id was shown for.");
    }
    if (!carriers.isEmpty()) {
      throw new InvalidConfiguration(
          "--replay says by its id how the fault is made. Nothing was started. Leave --carriers out.");
    }
    return all.withReplay(replay);
  }

  private List<Proof> explore(List<Subject> subjects, CrashLab.Options options)
      throws SQLException {
    PrintWriter err = spec.commandLine().getErr();
    err.println("Starting PostgreSQL and Kafka ...");
    err.flush();
    List<Proof> proofs = new ArrayList<>();
    try (PostgresServer postgres = PostgresServer.start();
        KafkaServer kafka = KafkaServer.builder().relayed().start()) {
      kafka.createTopic("orders.placed", 1);
      OrdersLab orders = new OrdersLab(postgres.jdbcUrl(), KafkaBroker.of(kafka));
      for (Subject subject : subjects) {
        err.println("Exploring " + subject.id() + " ...");
        err.flush();
        orders.createTable();
        Proof proof = explore(subject, orders, options);
        requireReplayed(proof);
        show(proof);
        proofs.add(proof);
      }
    }
    return proofs;
  }

  private static Proof explore(Subject subject, OrdersLab orders, CrashLab.Options options) {
    try (LogLevel log = LogLevel.silent()) {
      return new Proof(
          subject,
          CrashLab.explore(subject.id(), options, subject.in(orders)),
          !options.replay().isEmpty());
    }
  }

  private static void requireReplayed(Proof proof) {
    for (RunReport run : proof.report().runs()) {
      Problem problem = run.problem();
      if (problem != null && problem.kind() == Problem.Kind.UNKNOWN_REPLAY) {
        throw new InvalidConfiguration(problem.text());
      }
    }
  }

  private void show(Proof proof) {
    PrintWriter out = spec.commandLine().getOut();
    out.print(ConsoleReport.render(proof.report()));
    out.println();
    out.println(proof.meaning());
    out.println();
    out.flush();
  }

  private static Map<String, Object> document(List<Proof> proofs) throws IOException {
    List<Object> strategies = new ArrayList<>();
    for (Proof proof : proofs) {
      Map<String, Object> strategy = new LinkedHashMap<>();
      strategy.put("name", proof.subject().id());
      strategy.put("shown", proof.isShown());
      strategy.put("meaning", proof.meaning());
      strategy.put(
          "exploration",
          new ObjectMapper()
              .readTree(JsonReport.render(List.of(proof.report())))
              .path("operations")
              .path(0));
      strategies.add(strategy);
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("proved", proofs.stream().allMatch(Proof::isShown));
    all.put("strategies", strategies);
    return all;
  }

  private static Set<Carrier> carriers(List<String> names) {
    Set<Carrier> chosen = EnumSet.noneOf(Carrier.class);
    for (String name : names) {
      chosen.add(
          Carrier.byId(name)
              .orElseThrow(
                  () ->
                      new InvalidConfiguration(
                          "There is no carrier '%s'. Nothing was started. The carriers are fenced, lost-ack, forked."
                              .formatted(name))));
    }
    return chosen.isEmpty() ? USUAL : chosen;
  }

  /** Found out before minutes are spent on what cannot be written then. */
  private static void requireDirectory(String option, @Nullable Path file) {
    if (file == null) {
      return;
    }
    Path directory = file.toAbsolutePath().getParent();
    if (directory == null || !Files.isDirectory(directory) || Files.isDirectory(file)) {
      throw new InvalidConfiguration(
          "%s is %s, where no file can be written. Nothing was started. Name a file in a directory that exists."
              .formatted(option, file));
    }
  }
}
