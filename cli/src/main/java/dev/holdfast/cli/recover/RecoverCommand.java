package dev.holdfast.cli.recover;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.DatabaseAddress;
import dev.holdfast.cli.DatabaseOptions;
import dev.holdfast.cli.Json;
import dev.holdfast.cli.LogLevel;
import dev.holdfast.cli.ParticipantAddress;
import dev.holdfast.cli.ParticipantOptions;
import dev.holdfast.cli.relay.UntilSignalled;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.twophase.store.Gid;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code holdfast recover}. */
@Command(
    name = "recover",
    description = {
      "Ends what operations across databases have left prepared in the participants that are named:"
          + " commits what was decided, rolls back what never will be, and says what is left and"
          + " why. Processes with the participants do the same by themselves. It has to run as the"
          + " user who prepared, or as a superuser.",
      "Exit status: 0 nothing is left there, 1 something waits or is reported, 3 nothing is known to"
          + " be left, but a participant could not be asked."
    })
public final class RecoverCommand implements Callable<Integer> {
  private static final int CONNECTIONS = 6;
  private static final Duration LONGEST_WAIT_FOR_CONNECTION = Duration.ofSeconds(5);

  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Mixin private DatabaseOptions database = new DatabaseOptions();

  @Mixin private ParticipantOptions participants = new ParticipantOptions();

  @ArgGroup private @Nullable Instead instead;

  /** What is done instead of one round. */
  static final class Instead {
    @Option(names = "--watch", description = "Goes on, every few seconds, until it is told to end.")
    boolean watch;

    @Option(
        names = "--list",
        description =
            "Changes nothing: lists what is in doubt, with the statement to type where that is"
                + " known, and what was ended otherwise than decided.")
    boolean list;

    @ArgGroup(exclusive = false)
    @Nullable Claim claim;

    @ArgGroup(exclusive = false)
    @Nullable Acknowledgement acknowledgement;
  }

  /** An order that this database is to be believed. */
  static final class Claim {
    @Option(
        names = "--claim",
        paramLabel = "NAME",
        required = true,
        description =
            "Makes the participant obey this database, whatever it obeyed before: after a restore, a"
                + " move, or when a copy was believed. What is undecided here is rolled back there.")
    String name = "";

    @Option(names = "--yes", description = "Does not ask first.")
    boolean yes;
  }

  /** A note on what somebody else has ended. */
  static final class Acknowledgement {
    @Option(
        names = "--acknowledge",
        paramLabel = "GID",
        required = true,
        description =
            "Takes note of a branch that was ended otherwise than decided, so that it is not"
                + " reported any more.")
    String gid = "";

    @Option(
        names = "--note",
        paramLabel = "TEXT",
        required = true,
        description = "Who, and what was done about it.")
    String note = "";
  }

  @Option(
      names = "--decide-within",
      paramLabel = "SECONDS",
      defaultValue = "20",
      description =
          "As the application's decideWithin; a claim that has to be renewed settles after one and a"
              + " half times this (default: ${DEFAULT-VALUE}).")
  private int decideWithin;

  @Option(
      names = "--keep-decisions",
      paramLabel = "SECONDS",
      defaultValue = "600",
      description =
          "As the application's keepDecisions, with --watch, which forgets what is older (default:"
              + " ${DEFAULT-VALUE}).")
  private int keepDecisions;

  @Option(names = "--json", description = "Prints JSON.")
  private boolean json;

  @Override
  public Integer call() throws InterruptedException {
    TwoPhaseSettings settings =
        TwoPhaseSettings.DEFAULT
            .withDecideWithin(Duration.ofSeconds(decideWithin))
            .withKeepDecisions(Duration.ofSeconds(keepDecisions));
    Map<String, ParticipantAddress> named = participants.addresses();
    DatabaseAddress deciding = database.address();
    deciding.verify();
    Instead other = instead;
    if (other != null && other.watch) {
      return watch(deciding, named, settings);
    }
    try (LogLevel log = LogLevel.silent();
        HikariDataSource pool =
            deciding.pool("holdfast recover", CONNECTIONS, LONGEST_WAIT_FOR_CONNECTION)) {
      Deciding here = new Deciding(pool, deciding.schema(), settings);
      if (other != null && other.acknowledgement != null) {
        return acknowledge(here, other.acknowledgement);
      }
      if (other != null && other.claim != null) {
        return new ClaimOrder(here, named, spec.commandLine().getErr())
            .carryOut(other.claim.name, other.claim.yes, this::out, json);
      }
      return round(here, named, other == null || !other.list);
    }
  }

  private int round(Deciding here, Map<String, ParticipantAddress> named, boolean act) {
    if (act) {
      requireNamed(here, named);
    }
    Report report = Report.of(here, named, act);
    out(json ? Json.text(report.json()) : report.text());
    return report.status();
  }

  private static void requireNamed(Deciding here, Map<String, ParticipantAddress> named) {
    if (named.isEmpty()) {
      throw new InvalidConfiguration(
          "No participant is named, so nothing was done. Give --participant NAME=URL. %s"
              .formatted(here.known()));
    }
  }

  private int acknowledge(Deciding here, Acknowledgement order) {
    Gid gid =
        Gid.parse(order.gid)
            .orElseThrow(
                () ->
                    new InvalidConfiguration(
                        "'%s' names no branch of Holdfast's, so nothing was recorded. holdfast recover --list shows what can be acknowledged."
                            .formatted(order.gid)));
    boolean done = here.with(null, holdfast -> holdfast.twoPhase().acknowledge(gid, order.note));
    if (!done) {
      throw new HoldfastException(
          "Nothing is reported of the branch %s that nobody has taken note of, so nothing was recorded. holdfast recover --list shows what is."
              .formatted(gid));
    }
    Map<String, Object> result = new LinkedHashMap<>();
    result.put("gid", gid.text());
    result.put("acknowledged", order.note);
    out(json ? Json.text(result) : "It is noted, and not reported any more.\n");
    return 0;
  }

  private int watch(
      DatabaseAddress deciding, Map<String, ParticipantAddress> named, TwoPhaseSettings settings)
      throws InterruptedException {
    try (LogLevel log = LogLevel.speaking();
        UntilSignalled running = new UntilSignalled(this::say)) {
      HikariDataSource pool =
          running.add(
              deciding.pool(
                  "holdfast recover", CONNECTIONS + 2 * named.size(), LONGEST_WAIT_FOR_CONNECTION));
      Deciding here = new Deciding(pool, deciding.schema(), settings);
      requireNamed(here, named);
      Holdfast.Builder builder = here.builder();
      for (ParticipantAddress address : named.values()) {
        builder.participant(running.add(address.open()).participant());
      }
      running.add(builder.start());
      say(
          "Looking after %s. %s"
              .formatted(String.join(", ", named.keySet()), here.notNamed(named.keySet())));
      running.await();
    }
    return 0;
  }

  private void out(String text) {
    spec.commandLine().getOut().print(text);
    spec.commandLine().getOut().flush();
  }

  private void say(String text) {
    spec.commandLine().getErr().println(text.strip());
    spec.commandLine().getErr().flush();
  }
}
