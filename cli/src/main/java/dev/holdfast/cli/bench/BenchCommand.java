package dev.holdfast.cli.bench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code holdfast bench}. */
@Command(
    name = "bench",
    description = "Measures Holdfast side by side with others, in one run on the same servers.",
    subcommands = {
      OutboxBenchCommand.class,
      InboxBenchCommand.class,
      TwoPhaseBenchCommand.class,
      WorkflowBenchCommand.class,
      EventLogBenchCommand.class
    })
public final class BenchCommand implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Name one of " + String.join(", ", spec.subcommands().keySet()) + ".");
  }
}
