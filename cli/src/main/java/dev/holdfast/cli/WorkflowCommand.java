package dev.holdfast.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.internal.workflow.Exports;
import dev.holdfast.internal.workflow.Operator;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.store.RunCatalog;
import dev.holdfast.workflow.store.RunCatalog.Listed;
import dev.holdfast.workflow.store.RunCatalog.Queued;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code holdfast workflow}: shows runs of workflows and carries out an operator's decisions. */
@Command(
    name = "workflow",
    description = "Runs of workflows: where they are, what they wait for, and what to do about it.")
public final class WorkflowCommand extends Group {
  private static final int MOST_LISTED = 100_000;
  private static final ObjectMapper MAPPER =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);

  /** Whose decision it is, why, and which run it concerns. */
  static final class Decision {
    @Mixin OutboxCommand.Common common = new OutboxCommand.Common();

    @Parameters(index = "0", paramLabel = "ID", description = "The run's id.")
    String id = "";

    @Option(
        names = "--actor",
        paramLabel = "WHO",
        defaultValue = "${sys:user.name}",
        description = "Who decides, for the audit trail (default: ${DEFAULT-VALUE}).")
    String actor = "";

    @Mixin OutboxCommand.Reason reason = new OutboxCommand.Reason();
  }

  @Command(name = "list", description = "Lists runs, the newest first.")
  void list(
      @Mixin OutboxCommand.Common common,
      @Option(names = "--name", paramLabel = "WORKFLOW", description = "Of this workflow.")
          @Nullable String name,
      @Option(
              names = "--status",
              paramLabel = "STATUS",
              split = ",",
              description = "With one of these: ${COMPLETION-CANDIDATES}.")
          @Nullable Set<RunStatus> statuses,
      @Option(names = "--queue", paramLabel = "QUEUE", description = "Put into this queue.")
          @Nullable String queue,
      @Option(
              names = "--attribute",
              paramLabel = "NAME=VALUE",
              description = "With this attribute; may be repeated.")
          @Nullable Map<String, String> attributes,
      @Option(
              names = "--limit",
              paramLabel = "N",
              defaultValue = "100",
              description = "At most so many (default: ${DEFAULT-VALUE}).")
          int limit) {
    Limit.check(limit, MOST_LISTED);
    List<Listed> runs =
        common.database.withTables(
            store ->
                store
                    .runs()
                    .search(
                        new RunCatalog.Search(
                            name,
                            statuses == null ? Set.of() : statuses,
                            queue,
                            attributes == null ? Map.of() : attributes,
                            limit)));
    out(
        common.json
            ? Json.text(Map.of("runs", runs.stream().map(RunText::json).toList()))
            : RunText.table(runs));
  }

  @Command(name = "show", description = "Shows a run: what it has recorded, and what people did.")
  void show(
      @Mixin OutboxCommand.Common common,
      @Parameters(paramLabel = "ID", description = "The run's id.") String id) {
    RunText text =
        common.database.withTables(
            store -> {
              Listed run = store.runs().find(id).orElseThrow(() -> unknown(id));
              return new RunText(
                  run,
                  store.workflows().histories(List.of(run.run())).get(run.run()),
                  store.runs().audit(run.run()));
            });
    out(common.json ? Json.text(text.json()) : text.text());
  }

  @Command(
      name = "export",
      description =
          "Prints a run as JSON, for a replay in a test: all that it was given and found.")
  void export(
      @Mixin DatabaseOptions database,
      @Parameters(paramLabel = "ID", description = "The run's id.") String id) {
    out(
        database.withTables(
            store -> Exports.of(store.workflows(), id).orElseThrow(() -> unknown(id))));
  }

  @Command(
      name = "queues",
      description = "Shows the queues that runs wait in or are under way from.")
  void queues(@Mixin OutboxCommand.Common common) {
    List<Queued> queues = common.database.withTables(store -> store.runs().queues());
    if (common.json) {
      out(Json.text(Map.of("queues", queues.stream().map(WorkflowCommand::json).toList())));
      return;
    }
    out(
        queues.isEmpty()
            ? "No run waits in a queue, and none is under way from one.\n"
            : Table.of(
                List.of("queue", "waiting", "under way", "oldest due"),
                queues.stream()
                    .map(
                        each ->
                            List.of(
                                each.queue(),
                                Long.toString(each.waiting()),
                                Long.toString(each.underWay()),
                                each.oldest() == null ? "-" : each.oldest().toString()))
                    .toList()));
  }

  private static Map<String, Object> json(Queued queue) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("queue", queue.queue());
    value.put("waiting", queue.waiting());
    value.put("under_way", queue.underWay());
    value.put("oldest_due", queue.oldest() == null ? null : queue.oldest().toString());
    return value;
  }

  @Command(
      name = "cancel",
      description =
          "Has a run end before its next step, and what it did undone. Behind its pivot it goes on.")
  void cancel(@Mixin Decision decision) {
    decide(
        decision,
        operator -> operator.cancel(decision.id, decision.reason.text, decision.actor),
        "has ended, so there is nothing to cancel",
        "It is asked to end; what it did is undone before it does. One that is stuck needs a retry as well.");
  }

  @Command(
      name = "retry",
      description = "Lets a stuck run go on where it is stuck, with its attempts counted anew.")
  void retry(@Mixin Decision decision) {
    decide(
        decision,
        operator -> operator.retry(decision.id, decision.actor, decision.reason.text),
        NOT_STUCK,
        "It goes on.");
  }

  /** What became of it. */
  static final class Became {
    @Option(
        names = "--happened",
        paramLabel = "JSON",
        required = true,
        description = "It has happened, with this result.")
    @Nullable String happened;

    @Option(
        names = "--rejected",
        paramLabel = "WHY",
        required = true,
        description = "It has not happened, and never will.")
    @Nullable String rejected;
  }

  @Command(
      name = "resolve",
      description =
          "Says what became of a call of which that is not known, and lets the run go on.")
  void resolve(
      @Mixin Decision decision,
      @Parameters(index = "1", paramLabel = "STEP", description = "As show shows it.") String step,
      @ArgGroup(multiplicity = "1") Became became) {
    String happened = became.happened;
    String rejected = became.rejected;
    decide(
        decision,
        operator ->
            happened == null
                ? operator.resolveRejected(
                    decision.id, step, String.valueOf(rejected), decision.actor)
                : operator.resolveHappened(
                    decision.id, step, checked(happened), decision.actor, decision.reason.text),
        NOT_STUCK,
        "It goes on with that.");
  }

  @Command(
      name = "skip-undo",
      description = "Lets a run that is being undone go on without undoing a step.")
  void skipUndo(
      @Mixin Decision decision,
      @Parameters(index = "1", paramLabel = "STEP", description = "As show shows it.")
          String step) {
    decide(
        decision,
        operator -> operator.skipUndo(decision.id, step, decision.actor, decision.reason.text),
        NOT_STUCK,
        "The step stays as it is, and what came before it is undone.");
  }

  @Command(
      name = "restart",
      description = {
        "Has a run that is stuck or has ended begin anew from a step, or from its beginning.",
        "What those steps did is neither undone nor found again: they are done with new keys."
      })
  void restart(
      @Mixin Decision decision,
      @Option(
              names = "--from",
              paramLabel = "STEP",
              defaultValue = "",
              description = "From this step on; from the beginning when not given.")
          String step) {
    decide(
        decision,
        operator -> operator.restart(decision.id, step, decision.actor, decision.reason.text),
        "is neither stuck nor has it ended, or has changed meanwhile",
        "It begins anew" + (step.isEmpty() ? "." : " from step " + step + "."));
  }

  @Command(name = "complete", description = "Ends a stuck run with a result; nothing is undone.")
  void complete(
      @Mixin Decision decision,
      @Parameters(index = "1", paramLabel = "JSON", description = "Its result.") String json) {
    decide(
        decision,
        operator ->
            operator.complete(decision.id, checked(json), decision.actor, decision.reason.text),
        NOT_STUCK,
        "It has completed.");
  }

  @Command(name = "fail", description = "Ends a stuck run as failed; nothing is undone.")
  void fail(@Mixin Decision decision) {
    decide(
        decision,
        operator -> operator.fail(decision.id, decision.actor, decision.reason.text),
        NOT_STUCK,
        "It has failed.");
  }

  @Command(name = "signal", description = "Sends a signal to a run.")
  void signal(
      @Mixin OutboxCommand.Common common,
      @Parameters(index = "0", paramLabel = "ID", description = "The run's id.") String id,
      @Parameters(index = "1", paramLabel = "NAME", description = "The signal's name.") String name,
      @Parameters(index = "2", paramLabel = "JSON", description = "What it says.") String json) {
    if (name.isEmpty() || name.indexOf('#') >= 0) {
      throw new InvalidConfiguration(
          "A signal is named \"%s\": it needs a name without #. Nothing was sent.".formatted(name));
    }
    String value = checked(json);
    done(
        common,
        id,
        common.database.withTables(
            store ->
                store.runs().find(id).isPresent()
                    && store.workflows().signalAlone(id, name, value)),
        "does not exist or has ended",
        "The signal is sent.");
  }

  private static final String NOT_STUCK = "is not stuck, or has changed meanwhile";

  private void decide(
      Decision decision, Function<Operator, Boolean> work, String otherwise, String result) {
    boolean isDone =
        decision.common.database.withTables(
            store -> {
              if (store.runs().find(decision.id).isEmpty()) {
                throw unknown(decision.id);
              }
              return work.apply(new Operator(store.workflows()));
            });
    done(decision.common, decision.id, isDone, otherwise, result);
  }

  private void done(
      OutboxCommand.Common common, String id, boolean isDone, String otherwise, String result) {
    if (!isDone) {
      throw new HoldfastException(
          "Run %s %s. Nothing was changed. holdfast workflow show %s says where it is."
              .formatted(id, otherwise, id));
    }
    out(common.json ? Json.text(Map.of("run", id, "result", result)) : result + "\n");
  }

  private static String checked(String json) {
    try {
      MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new InvalidConfiguration(
          "%s is not JSON: %s. Nothing was done. A text needs quotation marks of its own: '\"text\"'."
              .formatted(
                  json.length() > 100 ? json.substring(0, 100) + "..." : json,
                  e.getOriginalMessage()));
    }
    if (json.isBlank()) {
      throw new InvalidConfiguration("Nothing is no JSON document. Nothing was done.");
    }
    return json;
  }

  private static HoldfastException unknown(String id) {
    return new HoldfastException(
        "There is no run %s, or it has ended long ago and is forgotten. Nothing was done. holdfast workflow list shows the runs there are; check --schema."
            .formatted(id));
  }
}
