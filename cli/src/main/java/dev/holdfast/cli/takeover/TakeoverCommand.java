package dev.holdfast.cli.takeover;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.DatabaseAddress;
import dev.holdfast.cli.DatabaseOptions;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.postgres.OldTable;
import dev.holdfast.postgres.PostgresStore;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code holdfast takeover}: moves what another outbox has not delivered into this one. */
@Command(
    name = "takeover",
    description =
        "Takes over the table of another outbox, without losing or repeating what is in it."
            + " Says what it would do, and does it with --execute.")
public final class TakeoverCommand implements Runnable {
  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  /** What every command here takes. */
  static final class Common {
    @Mixin DatabaseOptions database = new DatabaseOptions();

    @Option(names = "--table", paramLabel = "NAME", description = "The old outbox's table.")
    @Nullable String table;

    @Option(
        names = "--topic",
        paramLabel = "TOPIC",
        description = "The messages' topic; {type} in it stands for the row's type.")
    @Nullable String topic;

    @Option(
        names = "--key-json-pointer",
        paramLabel = "POINTER",
        description = "Where in the row's JSON the messages' key is, such as /customer/id.")
    @Nullable String keyPointer;

    @Option(
        names = "--only",
        paramLabel = "PATTERN",
        defaultValue = "%",
        description = "Only rows of types that are LIKE this; for types with topics of their own.")
    String only = "%";

    @Option(names = "--execute", description = "Does it; otherwise nothing is changed.")
    boolean execute;

    @Option(
        names = "--batch",
        paramLabel = "ROWS",
        defaultValue = "5000",
        description = "At most so many rows in one transaction (default: ${DEFAULT-VALUE}).")
    int batch = 5000;

    @Option(
        names = "--wait",
        paramLabel = "SECONDS",
        defaultValue = "30",
        description = "How long to try to lock the table (default: ${DEFAULT-VALUE}).")
    int wait = 30;

    @Option(names = "--json", description = "Prints JSON.")
    boolean json;

    Mapping mapping(String usualTopic) {
      return new Mapping(Objects.requireNonNullElse(topic, usualTopic), keyPointer, only);
    }
  }

  /** Of the kinds of table that old and new versions of an application can share. */
  static final class SideBySide {
    @Option(
        names = "--install-trigger",
        description =
            "From then on, publishes what old versions of the application write into the table.")
    boolean install;

    @Option(names = "--remove-trigger", description = "Ends that, and moves nothing.")
    boolean remove;
  }

  @Command(
      name = "gruelbox",
      description = "Takes over TXNO_OUTBOX: method calls that are still to be made.")
  void gruelbox(
      @Mixin Common common,
      @Mixin SideBySide trigger,
      @Option(
              names = "--blocked",
              description = "Moves blocked rows, too, which are left for a person otherwise.")
          boolean blocked) {
    run(
        common,
        session -> {
          TableShape shape = session.shape(GruelboxTable.NAME);
          Mapping mapping = common.mapping(GruelboxTable.TOPIC);
          session.moveOrRemove(GruelboxTable.of(shape, mapping, blocked), trigger);
        });
  }

  @Command(
      name = "modulith",
      description =
          "Takes over event_publication: what was to be externalized. Its application is stopped.")
  void modulith(
      @Mixin Common common,
      @Option(
              names = "--listener",
              paramLabel = "PATTERN",
              defaultValue = ModulithTable.LISTENER,
              description =
                  "Only publications for listeners LIKE this (default: ${DEFAULT-VALUE}).")
          String listener,
      @Option(
              names = "--settle",
              paramLabel = "SECONDS",
              defaultValue = "60",
              description =
                  "Leaves what was published or resubmitted within so many seconds, since an"
                      + " instance may still be at it (default: ${DEFAULT-VALUE}).")
          int settle) {
    if (settle < 0) {
      throw new InvalidConfiguration("--settle is " + settle + ", below 0. Nothing was done.");
    }
    run(
        common,
        session -> {
          TableShape shape = session.shape(ModulithTable.NAME);
          session.move(
              ModulithTable.of(
                  shape, common.mapping(ModulithTable.TOPIC), listener, Duration.ofSeconds(settle)),
              false);
        });
  }

  /** What is Debezium's own. */
  static final class Debezium {
    @Option(
        names = "--slot",
        paramLabel = "NAME",
        description = "The connector's replication slot, which says what was delivered.")
    @Nullable String slot;

    @Option(
        names = "--all-rows",
        description = "No connector: every row in the table waits, and is deleted when moved.")
    boolean allRows;

    @Option(
        names = "--publication",
        paramLabel = "NAME",
        defaultValue = "dbz_publication",
        description = "The connector's publication (default: ${DEFAULT-VALUE}).")
    String publication = "dbz_publication";

    @Option(
        names = "--keep-rows",
        description =
            "With --install-trigger: rows stay in the table, which leaves the publication. For"
                + " applications that check that an insert has written a row, as Hibernate does.")
    boolean keepRows;

    @Option(
        names = "--unordered",
        description = "With --install-trigger: channels need not be paused.")
    boolean unordered;

    @Option(
        names = "--column",
        paramLabel = "FIELD=NAME",
        description = "A column of another name, for id, key, type, payload, route, timestamp.")
    Map<String, String> columns = new LinkedHashMap<>();
  }

  @Command(
      name = "debezium",
      description = "Takes over the table of Debezium's outbox event router.")
  void debezium(@Mixin Common common, @Mixin SideBySide trigger, @Mixin Debezium options) {
    if (options.allRows == (options.slot != null)) {
      throw new InvalidConfiguration(
          "Who delivers the rows of the table? Give --slot with the connector's replication slot, or --all-rows when no connector reads the table; nothing was done.");
    }
    if (options.keepRows && options.allRows) {
      throw new InvalidConfiguration(
          "--keep-rows would leave rows for whoever polls the table, so it does not go with --all-rows. Nothing was done.");
    }
    run(
        common,
        session -> {
          TableShape shape = session.shape(DebeziumTable.NAME);
          Mapping mapping = common.mapping(DebeziumTable.TOPIC);
          OldTable table = DebeziumTable.of(shape, mapping, options.columns, options.allRows);
          if (options.slot == null || trigger.remove) {
            session.moveOrRemove(table, trigger);
            return;
          }
          OldTable shared =
              options.keepRows
                  ? table.keepingInserts(TableShape.identifier(options.publication))
                  : table;
          new ConnectorHandover(
                  session.takeover(shared),
                  new ReplicationSlot(session.dataSource(), options.slot),
                  Channels.taking(session.store(), mapping.topicPrefix()),
                  session.report(),
                  table.name(),
                  options.slot,
                  options.publication)
              .run(common.execute, trigger.install, options.unordered);
        });
  }

  /** Without a subcommand there is nothing to do. */
  @Override
  public void run() {
    throw new ParameterException(
        spec.commandLine(), "Name one of " + String.join(", ", spec.subcommands().keySet()) + ".");
  }

  private void run(Common common, Consumer<Session> work) {
    DatabaseAddress address = common.database.address();
    Store store = PostgresStore.open(address.dataSource(), address.schema());
    address.verify();
    store.schema().verify();
    Session session = new Session(common, address, store);
    work.accept(session);
    PrintWriter out = spec.commandLine().getOut();
    out.print(session.report().text(common.json));
    out.flush();
  }
}
