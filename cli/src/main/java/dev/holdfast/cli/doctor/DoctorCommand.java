package dev.holdfast.cli.doctor;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.DatabaseOptions;
import dev.holdfast.cli.Json;
import dev.holdfast.cli.ParticipantOptions;
import dev.holdfast.cli.relay.Servers;
import dev.holdfast.doctor.Finding;
import dev.holdfast.postgres.doctor.Limits;
import dev.holdfast.postgres.doctor.PostgresDoctor.Role;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code holdfast doctor}. */
@Command(
    name = "doctor",
    description = {
      "Examines the database, the outbox in it and, when they are named, the Kafka cluster and the"
          + " participants of operations across databases; says what it found, what follows from it,"
          + " and what to type. Changes nothing.",
      "Exit status: 0 fine, 1 something failed (with --strict: or was warned of), 3 something could"
          + " not be asked."
    })
public final class DoctorCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Mixin private DatabaseOptions database = new DatabaseOptions();

  @Mixin private ParticipantOptions participants = new ParticipantOptions();

  @Option(
      names = "--kafka",
      paramLabel = "HOST:PORT",
      description = "The brokers, as in bootstrap.servers; they are asked only when named.")
  private @Nullable String kafka;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      description = "A relay's YAML file, for the database, and the brokers with their settings.")
  private @Nullable Path config;

  @Option(
      names = "--role",
      paramLabel = "ROLE",
      description = "The database user must have the rights of: writer, relay, admin.")
  private @Nullable String role;

  @Option(
      names = "--max-lag",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description =
          "The age of a waiting message that is worth a warning (default: ${DEFAULT-VALUE}).")
  private int maxLag;

  @Option(
      names = "--max-transaction",
      paramLabel = "SECONDS",
      defaultValue = "300",
      description =
          "The age of a transaction that holds back vacuum, worth a warning, or of a prepared one,"
              + " which fails (default: ${DEFAULT-VALUE}).")
  private int maxTransaction;

  @Option(
      names = "--max-in-doubt",
      paramLabel = "SECONDS",
      defaultValue = "60",
      description =
          "The age of a branch of an operation across databases that is prepared and waits, worth a"
              + " finding; recovery ends one within seconds (default: ${DEFAULT-VALUE}).")
  private int maxInDoubt;

  @Option(names = "--strict", description = "Warnings fail, too.")
  private boolean strict;

  @Option(names = "--json", description = "Prints JSON.")
  private boolean json;

  @Override
  public Integer call() {
    if (maxLag < 0 || maxTransaction < 0 || maxInDoubt < 0) {
      throw new InvalidConfiguration(
          "--max-lag, --max-transaction and --max-in-doubt are seconds, 0 or more. Nothing was done.");
    }
    Role wanted = wanted();
    Examination examination = Examination.of(Servers.of(config, database, kafka, System.getenv()));
    Limits limits =
        Limits.DEFAULT
            .withLag(Duration.ofSeconds(maxLag))
            .withTransaction(Duration.ofSeconds(maxTransaction))
            .withInDoubt(Duration.ofSeconds(maxInDoubt));
    List<Finding> findings = examination.examine(limits, wanted, participants.addresses());
    Diagnosis diagnosis = new Diagnosis(findings, strict);
    spec.commandLine().getOut().print(json ? Json.text(diagnosis.json()) : diagnosis.text());
    spec.commandLine().getOut().flush();
    return diagnosis.status();
  }

  private @Nullable Role wanted() {
    if (role == null) {
      return null;
    }
    for (Role each : Role.values()) {
      if (each.name().equalsIgnoreCase(role)) {
        return each;
      }
    }
    throw new InvalidConfiguration(
        "--role is '%s', and must be writer, relay or admin. Nothing was done.".formatted(role));
  }
}
