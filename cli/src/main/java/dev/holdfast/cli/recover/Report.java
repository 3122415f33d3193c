package dev.holdfast.cli.recover;

import dev.holdfast.HoldfastException;
import dev.holdfast.cli.Credentials;
import dev.holdfast.cli.ParticipantAddress;
import dev.holdfast.cli.Table;
import dev.holdfast.twophase.InDoubt;
import dev.holdfast.twophase.Participant;
import dev.holdfast.twophase.TwoPhase.Recovered;
import dev.holdfast.twophase.store.DecisionStore.Registration;
import dev.holdfast.twophase.store.Heuristic;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What was found, and done.
 *
 * @param inDoubt what is prepared, afterwards
 * @param heuristics what was ended otherwise than decided; unacknowledged first
 * @param notNamed participants that were not looked at
 */
record Report(
    List<Round> rounds,
    List<InDoubt> inDoubt,
    List<Heuristic> heuristics,
    List<Registration> notNamed,
    boolean acted) {
  private static final int FINE = 0;
  private static final int SOMETHING_LEFT = 1;

  /** As of the doctor; 2 says that the arguments cannot be used. */
  private static final int NOT_ANSWERED = 3;

  private static final int MOST_HEURISTICS = 1_000;

  /**
   * One participant.
   *
   * @param recovered {@code null} when nothing was to be done, or could be
   * @param problem why it was not done, or not all of it
   */
  record Round(String participant, @Nullable Recovered recovered, @Nullable String problem) {}

  /**
   * Looks at each participant; one that cannot be asked keeps none of the others waiting.
   *
   * @param act whether to end what can be ended
   */
  static Report of(Deciding here, Map<String, ParticipantAddress> named, boolean act) {
    List<Round> rounds = new ArrayList<>();
    List<InDoubt> inDoubt = new ArrayList<>();
    for (ParticipantAddress address : named.values()) {
      rounds.add(round(here, address, act, inDoubt));
    }
    List<Heuristic> heuristics =
        here.with(null, holdfast -> holdfast.twoPhase().heuristics(MOST_HEURISTICS));
    return new Report(rounds, inDoubt, heuristics, here.besides(named.keySet()), act);
  }

  private static Round round(
      Deciding here, ParticipantAddress address, boolean act, List<InDoubt> inDoubt) {
    Recovered recovered = null;
    String problem = null;
    try (ParticipantAddress.Open open = address.open()) {
      Participant participant = open.participant();
      if (act) {
        try {
          recovered = here.with(participant, holdfast -> holdfast.twoPhase().recover());
        } catch (HoldfastException e) {
          problem = Credentials.mask(String.valueOf(e.getMessage()));
        }
      }
      inDoubt.addAll(here.with(participant, holdfast -> holdfast.twoPhase().inDoubt()));
    } catch (HoldfastException e) {
      problem = problem == null ? Credentials.mask(String.valueOf(e.getMessage())) : problem;
    }
    return new Round(address.name(), recovered, problem);
  }

  private List<Heuristic> reported() {
    return heuristics.stream().filter(each -> each.acknowledged() == null).toList();
  }

  int status() {
    if (!inDoubt.isEmpty() || !reported().isEmpty()) {
      return SOMETHING_LEFT;
    }
    return rounds.stream().anyMatch(each -> each.problem() != null) ? NOT_ANSWERED : FINE;
  }

  String text() {
    StringBuilder text = new StringBuilder();
    if (acted) {
      text.append(
          Table.of(
              List.of("participant", "committed", "rolled back", "left", "reported"),
              rounds.stream().map(Report::row).toList()));
    }
    for (Round each : rounds) {
      if (each.problem() != null) {
        text.append("Participant %s: %s%n".formatted(each.participant(), each.problem()));
      }
    }
    if (inDoubt.isEmpty()) {
      text.append(
          rounds.stream().allMatch(each -> each.problem() == null) && !rounds.isEmpty()
              ? "Nothing is in doubt there.\n"
              : "");
    } else {
      text.append('\n').append(Table.of(COLUMNS, inDoubt.stream().map(Report::row).toList()));
      inDoubt.forEach(each -> text.append(why(each)));
    }
    (acted ? reported() : heuristics).forEach(each -> text.append(text(each)));
    for (Registration each : notNamed) {
      text.append(
          "Participant %s, last seen at %s, is not named: what is prepared there was not looked at.%n"
              .formatted(each.name(), each.server().place()));
    }
    return text.toString();
  }

  private static List<String> row(Round round) {
    Recovered recovered = round.recovered();
    return recovered == null
        ? List.of(round.participant(), "-", "-", "-", "-")
        : List.of(
            round.participant(),
            Integer.toString(recovered.committed()),
            Integer.toString(recovered.rolledBack()),
            Integer.toString(recovered.left()),
            Integer.toString(recovered.reported()));
  }

  private static final List<String> COLUMNS =
      List.of("participant", "age", "state", "locks", "prepared by", "operation", "branch");

  private static List<String> row(InDoubt each) {
    return List.of(
        each.gid().participant(),
        age(each.branch().age()),
        each.state().name().toLowerCase(Locale.ROOT).replace('_', ' '),
        each.branch().locks() < 0 ? "-" : Long.toString(each.branch().locks()),
        each.branch().owner(),
        each.operationId() == null ? "-" : each.operationId(),
        each.gid().text());
  }

  private static String age(Duration age) {
    return age.isZero() ? "-" : age.toSeconds() + " s";
  }

  private static String why(InDoubt each) {
    return "%s: %s%s%n"
        .formatted(
            each.gid(),
            why(each.state()),
            each.statement() == null
                ? ""
                : " By hand, at " + each.gid().participant() + ": " + each.statement() + ";");
  }

  private static String why(InDoubt.State state) {
    return switch (state) {
      case OWNER_ALIVE ->
          "its owner's transaction is open at the deciding database, so it is left alone.";
      case COMMITTED -> "its operation is committed, and recovery commits the branch.";
      case ROLLED_BACK ->
          "its operation is committed nowhere and never will be, and recovery rolls the branch back.";
      case NOT_OURS_TO_ABORT ->
          "its operation is not committed here, and this database's claim of the participant has not settled, or is another's; holdfast doctor --participant NAME=URL says which.";
      case TOO_OLD ->
          "its decision, if there was one, is forgotten: only a person who knows whether the operation happened can end it.";
    };
  }

  private static String text(Heuristic each) {
    return "Reported: %s: %s%s, found %s.%s%n"
        .formatted(
            each.gid(),
            each.kind().text(),
            each.operationId() == null ? "" : ", operation " + each.operationId(),
            each.foundAt(),
            each.acknowledged() == null
                ? " Put it right, then: holdfast recover --acknowledge %s --note TEXT"
                    .formatted(each.gid())
                : " Noted: " + each.acknowledged());
  }

  Map<String, Object> json() {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("status", status());
    all.put("participants", rounds.stream().map(Report::json).toList());
    all.put("in_doubt", inDoubt.stream().map(Report::json).toList());
    all.put("heuristics", heuristics.stream().map(Report::json).toList());
    all.put("not_named", notNamed.stream().map(Registration::name).toList());
    return all;
  }

  private static Map<String, Object> json(Round round) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("participant", round.participant());
    Recovered recovered = round.recovered();
    if (recovered != null) {
      value.put("committed", recovered.committed());
      value.put("rolled_back", recovered.rolledBack());
      value.put("left", recovered.left());
      value.put("reported", recovered.reported());
    }
    value.put("problem", round.problem());
    return value;
  }

  private static Map<String, Object> json(InDoubt each) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("participant", each.gid().participant());
    value.put("gid", each.gid().text());
    value.put("age_ms", each.branch().age().toMillis());
    value.put("state", each.state().name());
    value.put("operation", each.operationId());
    value.put("locks", each.branch().locks());
    value.put("prepared_by", each.branch().owner());
    value.put("statement", each.statement());
    return value;
  }

  private static Map<String, Object> json(Heuristic each) {
    Map<String, Object> value = new LinkedHashMap<>();
    value.put("gid", each.gid().text());
    value.put("participant", each.gid().participant());
    value.put("operation", each.operationId());
    value.put("kind", each.kind().name());
    value.put("found_at", each.foundAt().toString());
    value.put("acknowledged", each.acknowledged());
    return value;
  }
}
