package dev.holdfast.cli.prove.twophase;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.LogLevel;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.internal.Doorbell;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code holdfast prove twophase}. */
@Command(
    name = "twophase",
    description = {
      "Runs operations across two real PostgreSQL servers in processes that are killed and stopped"
          + " at random, kills sessions and servers, lets several recover at once, and counts: what"
          + " is in one database has to be in the other, what was told has to be true, and nothing"
          + " may be left prepared.",
      "Exit status 1 on a violation. With a mutant, which leaves a step of the protocol out, there"
          + " has to be one: the run ends at the first, with status 1."
    })
public final class TwoPhaseProofCommand implements Callable<Integer> {
  private static final int MOST_MINUTES = 24 * 60;

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = "--minutes",
      paramLabel = "N",
      defaultValue = "1",
      description = "How long faults strike, 1 to 1440 (default: ${DEFAULT-VALUE}).")
  private int minutes;

  @Option(
      names = "--mutant",
      paramLabel = "NAME",
      description =
          "decision-after-prepare, look-instead-of-insert, forgotten-is-aborted (default: none).")
  private @Nullable String mutant;

  @Option(
      names = "--seed",
      paramLabel = "S",
      defaultValue = "1",
      description =
          "Decides which faults strike in which order (default: ${DEFAULT-VALUE}). When they meet"
              + " an operation is a matter of chance all the same.")
  private long seed;

  @Override
  public Integer call() {
    Mutant chosen = mutant == null ? Mutant.NONE : Mutant.named(mutant);
    if (minutes < 1 || minutes > MOST_MINUTES) {
      throw new InvalidConfiguration(
          "--minutes is %,d, and must be 1 to %,d. Nothing was started."
              .formatted(minutes, MOST_MINUTES));
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println("Proving: " + chosen.text() + ".");
    out.flush();
    long until = Doorbell.nanos() + Duration.ofMinutes(minutes).toNanos();
    try (LogLevel log = LogLevel.silent();
        PostgresServer orders = server();
        PostgresServer ledger = server();
        Trial trial = new Trial(orders, ledger, chosen, seed, out)) {
      while (Doorbell.nanos() < until) {
        List<String> violations = trial.round();
        if (!violations.isEmpty()) {
          out.println();
          violations.forEach(violation -> out.println("VIOLATION: " + violation));
          out.println("Done until then: " + trial.tally().text() + ".");
          out.flush();
          return 1;
        }
      }
      out.println();
      out.println("No violation, and nothing left prepared, in " + trial.tally().text() + ".");
      out.flush();
      return 0;
    }
  }

  private static PostgresServer server() {
    return PostgresServer.builder().setting("max_prepared_transactions", "200").start();
  }
}
