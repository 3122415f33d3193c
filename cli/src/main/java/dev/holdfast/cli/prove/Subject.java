package dev.holdfast.cli.prove;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.examples.orders.OrdersLab;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** What is explored. */
enum Subject {
  DUAL_WRITE("dual-write") {
    @Override
    void describe(OrdersLab orders, CrashLab lab) {
      orders.dualWrite(lab);
    }
  },
  OUTBOX("outbox") {
    @Override
    void describe(OrdersLab orders, CrashLab lab) {
      orders.outbox(lab);
    }
  };

  private final String id;

  Subject(String id) {
    this.id = id;
  }

  String id() {
    return id;
  }

  abstract void describe(OrdersLab orders, CrashLab lab);

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
