package dev.holdfast.cli.demo;

import dev.holdfast.InvalidConfiguration;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * What a demonstration does.
 *
 * @param operations orders per strategy, 20 to 1,000,000
 * @param kills SIGKILLs of the order service per strategy, shared out with shipping where there is
 *     one, 0 to a tenth of the operations
 */
record DemoSettings(int operations, int kills, long seed, List<StrategyKind> strategies) {

  DemoSettings {
    strategies = List.copyOf(strategies);
    if (operations < 20 || operations > 1_000_000) {
      throw new InvalidConfiguration(
          "--operations is %d, and must be 20 to 1000000. Nothing was started."
              .formatted(operations));
    }
    if (kills < 0 || kills > operations / 10) {
      throw new InvalidConfiguration(
          "--kills is %d, and must be 0 to %d, a tenth of the operations. Nothing was started."
              .formatted(kills, operations / 10));
    }
  }

  /** All strategies when none is named. */
  static List<StrategyKind> strategies(List<String> names) {
    if (names.isEmpty()) {
      return List.of(StrategyKind.values());
    }
    List<StrategyKind> kinds = new ArrayList<>();
    for (String name : names) {
      kinds.add(
          StrategyKind.byId(name)
              .orElseThrow(
                  () ->
                      new InvalidConfiguration(
                          "There is no strategy '%s'. Nothing was started. The strategies are %s."
                              .formatted(name, StrategyKind.ids()))));
    }
    return kinds.stream().distinct().collect(Collectors.toList());
  }
}
