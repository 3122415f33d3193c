package dev.holdfast.cli.advise;

import dev.holdfast.cli.Table;
import dev.holdfast.guarantee.Absorption;
import dev.holdfast.guarantee.Advice;
import dev.holdfast.guarantee.Cost;
import dev.holdfast.guarantee.Excluded;
import dev.holdfast.guarantee.Ranking;
import dev.holdfast.guarantee.Resolution;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * The answer, as text and as JSON.
 *
 * @param outage as it was typed
 */
record Answer(Question question, @Nullable String outage, Ranking ranking) {

  boolean isSound() {
    return !ranking.sound().isEmpty();
  }

  String text() {
    StringBuilder text = new StringBuilder();
    text.append(asked()).append("\n\n");
    ranking
        .best()
        .ifPresentOrElse(best -> text.append(advised(best)), () -> text.append(nothing()));
    if (ranking.sound().size() > 1) {
      text.append("\nAlso sound:\n");
      text.append(
          indented(
              Table.of(
                  List.of("", "caller waits for", "forced writes", "this version"),
                  ranking.sound().stream().skip(1).map(this::row).toList())));
    }
    if (!ranking.excluded().isEmpty()) {
      text.append("\nExcluded:\n");
      for (Excluded excluded : ranking.excluded()) {
        text.append(line("  ", excluded.resolution().title(), excluded.reasons()));
      }
    }
    return text.toString();
  }

  private String asked() {
    String effects =
        question.effects().stream().map(Place::effect).collect(Collectors.joining(" and "));
    String begins =
        question.source().map(place -> "A message from " + place.effect() + ", then ").orElse("");
    List<String> needs = new ArrayList<>();
    question.needs().each().stream().sorted().map(Word::of).forEach(needs::add);
    if (outage != null) {
      needs.add("outages of up to " + outage);
    }
    return begins + effects + (needs.isEmpty() ? "" : "; needs: " + String.join(", ", needs)) + ".";
  }

  private String advised(Advice advice) {
    Resolution resolution = advice.resolution();
    StringBuilder text = new StringBuilder();
    text.append(line("", "Do", List.of(heading(advice) + "; " + ready(advice))));
    text.append(line("", "Why", why(advice)));
    text.append(line("", "Record", List.of(resolution.records() + where(advice))));
    text.append(line("", "After a crash", List.of(resolution.discharger())));
    text.append(line("", "Costs", costs(advice.cost())));
    text.append(line("", "Remains", remains(advice)));
    text.append(
        line("", "Given up", advice.givenUp().isEmpty() ? List.of("nothing") : advice.givenUp()));
    List<String> conditions = conditions(advice);
    if (!conditions.isEmpty()) {
      text.append(line("", "Provided", conditions));
    }
    return text.toString();
  }

  private static String where(Advice advice) {
    if (advice.resolution() == Resolution.LOCAL_TRANSACTION) {
      return "";
    }
    return advice
        .recordedAt()
        .map(name -> ", at " + name)
        .orElse(advice.resolution() == Resolution.WORKFLOW ? ", in a database of its own" : "");
  }

  private static String heading(Advice advice) {
    return (advice.behindInbox() ? Resolution.INBOX.title() + ", then " : "")
        + advice.resolution().title();
  }

  private String ready(Advice advice) {
    return Readiness.of(advice, question).sentence();
  }

  private List<String> why(Advice advice) {
    List<String> why = new ArrayList<>();
    boolean only = ranking.sound().size() == 1;
    why.add(only ? "nothing else is sound" : "it is the cheapest of what is sound");
    if (advice.resolution() != Resolution.LOCAL_TRANSACTION) {
      ranking.excluded().stream()
          .filter(excluded -> excluded.resolution() == Resolution.LOCAL_TRANSACTION)
          .flatMap(excluded -> excluded.reasons().stream())
          .forEach(reason -> why.add("one local transaction would be cheaper, but " + reason));
    }
    return why;
  }

  private static List<String> costs(Cost cost) {
    return List.of(
        "the caller waits for %s and %s more"
            .formatted(
                count(cost.callerForcedWrites(), "forced write"),
                count(cost.callerRoundTrips(), "round trip")),
        "in all %s, and %s to run"
            .formatted(count(cost.forcedWrites(), "forced write"), count(cost.agents(), "agent")));
  }

  private static String count(int number, String what) {
    return number + " " + what + (number == 1 ? "" : "s");
  }

  private static List<String> remains(Advice advice) {
    List<String> remains = new ArrayList<>();
    remains.add(
        advice.resolution() == Resolution.LOCAL_TRANSACTION
            ? "there is one commit: all of it happens, or nothing does"
            : "no effect is lost in a crash");
    for (Absorption absorption : advice.absorbs()) {
      remains.add(
          absorption.by().isEmpty()
              ? "a repeat at %s is not absorbed".formatted(absorption.boundary())
              : "a repeat at %s is absorbed by %s, %s"
                  .formatted(absorption.boundary(), absorption.how(), absorption.lasts()));
    }
    return remains;
  }

  /** Of the kinds, where their capability is what absorbs. */
  private List<String> conditions(Advice advice) {
    return advice.absorbs().stream()
        .flatMap(
            absorption ->
                question.places().stream()
                    .filter(place -> place.description().equals(absorption.boundary()))
                    .flatMap(place -> condition(place, absorption)))
        .distinct()
        .toList();
  }

  private static Stream<String> condition(Place place, Absorption absorption) {
    return absorption.by().stream()
        .filter(capability -> !place.added().containsKey(capability))
        .flatMap(capability -> place.is().condition(capability).stream())
        .map(condition -> place.description() + ": " + condition);
  }

  private String nothing() {
    List<String> remedies = Remedies.of(question, outage);
    return "No resolution meets this.\n"
        + line(
            "",
            "Would help",
            remedies.isEmpty() ? List.of("no one change; drop several needs") : remedies);
  }

  private List<String> row(Advice advice) {
    Cost cost = advice.cost();
    return List.of(
        heading(advice),
        "%s, %s"
            .formatted(
                count(cost.callerForcedWrites(), "write"),
                count(cost.callerRoundTrips(), "round trip")),
        Integer.toString(cost.forcedWrites()),
        Readiness.of(advice, question).word());
  }

  private static String indented(String table) {
    return table.lines().map(line -> "  " + line + "\n").collect(Collectors.joining());
  }

  /** A name, and behind it one line for each. */
  private static String line(String indent, String name, List<String> values) {
    StringBuilder text = new StringBuilder();
    String before = name;
    for (String value : values) {
      text.append(indent)
          .append(("%-" + (20 - indent.length()) + "s").formatted(before))
          .append(value)
          .append('\n');
      before = "";
    }
    return text.toString();
  }

  Map<String, @Nullable Object> json() {
    Map<String, @Nullable Object> all = new LinkedHashMap<>();
    all.put("consumed_from", question.source().map(Place::effect).orElse(null));
    all.put("effects", question.effects().stream().map(Answer::effect).toList());
    all.put("needs", question.needs().each().stream().sorted().map(Word::of).toList());
    all.put("outage_seconds", question.needs().outage().map(Duration::toSeconds).orElse(null));
    all.put("sound", ranking.sound().stream().map(this::sound).toList());
    all.put("excluded", ranking.excluded().stream().map(Answer::excluded).toList());
    all.put("would_help", isSound() ? List.of() : Remedies.of(question, outage));
    return all;
  }

  private static Map<String, @Nullable Object> effect(Place place) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("effect", place.effect());
    json.put("boundary", place.description());
    json.put("capabilities", place.capabilities().stream().map(Enum::name).toList());
    json.put("acknowledgment", place.acknowledgment().name());
    return json;
  }

  private Map<String, @Nullable Object> sound(Advice advice) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("resolution", advice.resolution().name());
    json.put("behind_inbox", advice.behindInbox());
    json.put("readiness", Readiness.of(advice, question).name());
    json.put("recorded_at", advice.recordedAt().orElse(null));
    json.put("records", advice.resolution().records());
    json.put("discharged_by", advice.resolution().discharger());
    json.put("caller_forced_writes", advice.cost().callerForcedWrites());
    json.put("caller_round_trips", advice.cost().callerRoundTrips());
    json.put("forced_writes", advice.cost().forcedWrites());
    json.put("agents", advice.cost().agents());
    json.put("absorbs", advice.absorbs().stream().map(Answer::absorption).toList());
    json.put("given_up", advice.givenUp());
    json.put("provided", conditions(advice));
    return json;
  }

  private static Map<String, @Nullable Object> absorption(Absorption absorption) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("boundary", absorption.boundary());
    json.put("by", absorption.by().map(Enum::name).orElse(null));
    json.put("how", absorption.how());
    json.put("window_seconds", absorption.window().map(Duration::toSeconds).orElse(null));
    return json;
  }

  private static Map<String, @Nullable Object> excluded(Excluded excluded) {
    Map<String, @Nullable Object> json = new LinkedHashMap<>();
    json.put("resolution", excluded.resolution().name());
    json.put("reasons", excluded.reasons());
    return json;
  }
}
