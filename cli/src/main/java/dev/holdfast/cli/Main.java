package dev.holdfast.cli;

import dev.holdfast.cli.advise.AdviseCommand;
import dev.holdfast.cli.bench.BenchCommand;
import dev.holdfast.cli.demo.DemoCommand;
import dev.holdfast.cli.doctor.DoctorCommand;
import dev.holdfast.cli.guarantees.GuaranteesCommand;
import dev.holdfast.cli.operation.OperationCommand;
import dev.holdfast.cli.prove.ProveCommand;
import dev.holdfast.cli.reconcile.ReconcileCommand;
import dev.holdfast.cli.recover.RecoverCommand;
import dev.holdfast.cli.relay.RelayCommand;
import dev.holdfast.cli.takeover.TakeoverCommand;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Properties;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** The {@code holdfast} command. */
@Command(
    name = "holdfast",
    description = "Commits one operation in two places: a database and a broker.",
    mixinStandardHelpOptions = true,
    scope = ScopeType.INHERIT,
    versionProvider = Main.Version.class,
    sortOptions = false,
    subcommands = {
      DemoCommand.class,
      ProveCommand.class,
      RelayCommand.class,
      SchemaCommand.class,
      OutboxCommand.class,
      ConsumerCommand.class,
      BenchCommand.class,
      TakeoverCommand.class,
      OperationCommand.class,
      WorkflowCommand.class,
      EventsCommand.class,
      ProjectionCommand.class,
      DoctorCommand.class,
      RecoverCommand.class,
      ReconcileCommand.class,
      GuaranteesCommand.class,
      AdviseCommand.class,
    })
public final class Main implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Option(
      names = "--debug",
      scope = ScopeType.INHERIT,
      description = "Shows stack traces with errors.")
  private boolean debug;

  /** Runs a command and exits with its status. */
  public static void main(String[] arguments) {
    // The JDBC driver's own logger would speak beside the one message that an error gets.
    java.util.logging.LogManager.getLogManager().reset();
    System.exit(commandLine().execute(arguments));
  }

  /** The command with its subcommands, ready to be executed. */
  public static CommandLine commandLine() {
    Main main = new Main();
    CommandLine commandLine = new CommandLine(main);
    commandLine.setExecutionExceptionHandler(main::report);
    return commandLine;
  }

  /** Without a command there is nothing to do but say what there is. */
  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "Name a command.");
  }

  private int report(Exception error, CommandLine commandLine, ParseResult arguments) {
    PrintWriter err = commandLine.getErr();
    if (debug) {
      StringWriter trace = new StringWriter();
      error.printStackTrace(new PrintWriter(trace));
      err.print(Credentials.mask(trace.toString()));
      err.flush();
    } else {
      String message = error.getMessage();
      err.println(
          "holdfast: "
              + Credentials.mask(message == null ? error.getClass().getSimpleName() : message));
    }
    if (error instanceof InterruptedException) {
      Thread.currentThread().interrupt();
    }
    return CommandLine.ExitCode.SOFTWARE;
  }

  /** Reads the version that the build has written down. */
  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() throws IOException {
      Properties properties = new Properties();
      try (InputStream in = Main.class.getResourceAsStream("version.properties")) {
        if (in != null) {
          properties.load(in);
        }
      }
      return new String[] {"holdfast " + properties.getProperty("version", "(unknown)")};
    }
  }
}
