package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.Problem;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What names one run: {@code fenced:ack-lost@2-9c1e:seed-7}, or {@code golden:seed-7}.
 *
 * @param plan the {@linkplain RunPlan#id id} of its plan
 * @param carrier how its faults are made; none for the golden run, which has none
 * @param seed what fixes its key, if the id says so
 */
record ReplayId(String plan, @Nullable Carrier carrier, @Nullable Long seed) {
  private static final Pattern FORM =
      Pattern.compile(
          "(?<plan>golden|(?<carrier>[a-z-]+):[a-z@0-9+-]+)(?::seed-(?<seed>-?[0-9]{1,18}))?");

  static ReplayId parse(String id) {
    Matcher parts = FORM.matcher(id);
    boolean known = parts.matches();
    String by = known ? parts.group("carrier") : null;
    Carrier carrier = by == null ? null : Carrier.byId(by).orElse(null);
    if (!known || (by != null && carrier == null)) {
      throw new CrashLabException(
          Problem.Kind.UNKNOWN_REPLAY,
          "'%s' is not the id of a run. Nothing was run. Give it as a report shows it after 'replay:', such as fenced:ack-lost@2-9c1e:seed-7."
              .formatted(id));
    }
    String seed = parts.group("seed");
    return new ReplayId(parts.group("plan"), carrier, seed == null ? null : Long.valueOf(seed));
  }

  /** Whether it has a second fault, which only the run with the first one leads to. */
  boolean isPair() {
    return plan.contains("+");
  }
}
