package dev.holdfast.cli.prove;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.examples.orders.OrdersLab;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Collectors;

/** What is explored. */
enum Subject {
  DUAL_WRITE("dual-write") {
    @Override
    Consumer<CrashLab> in(OrdersLab orders) {
      return orders.dualWrite();
    }
  },
  OUTBOX("outbox") {
    @Override
    Consumer<CrashLab> in(OrdersLab orders) {
      return orders.outbox();
    }
  };

  private final String id;

  Subject(String id) {
    this.id = id;
  }

  String id() {
    return id;
  }

  /** What describes it to the lab. */
  abstract Consumer<CrashLab> in(OrdersLab orders);

  /** All of them when none is named. */
  static List<Subject> named(List<String> names) {
    if (names.isEmpty()) {
      return List.of(values());
    }
    return names.stream().map(Subject::byId).distinct().collect(Collectors.toList());
  }

  private static Subject byId(String name) {
    return Arrays.stream(values())
        .filter(subject -> subject.id.equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new InvalidConfiguration(
                    "There is no strategy '%s'. Nothing was started. The strategies are %s."
                        .formatted(
                            name,
                            Arrays.stream(values())
                                .map(Subject::id)
                                .collect(Collectors.joining(", ")))));
  }
}
