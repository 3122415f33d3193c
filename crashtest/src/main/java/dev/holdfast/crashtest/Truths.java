package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Problem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/** The wrapped resources of one exploration. */
final class Truths implements Truth.Lookup, AutoCloseable {
  private final Map<String, Truth> byName = new LinkedHashMap<>();

  /** Remembers a resource when it is wrapped for the first time. */
  synchronized void register(String name, Supplier<Truth> truth) {
    if (!byName.containsKey(name)) {
      Truth created = truth.get();
      byName.put(name, created);
      created.begin();
    }
  }

  /** Remembers a database; a later process may bring another data source for it. */
  synchronized void registerDatabase(String name, DatabaseTruth.Source source) {
    if (byName.get(name) instanceof DatabaseTruth known) {
      known.use(source);
    } else {
      register(name, () -> new DatabaseTruth(source));
    }
  }

  @Override
  public synchronized <T extends Truth> T find(String name, Class<T> kind, String wanted) {
    List<T> found = new ArrayList<>();
    byName.forEach(
        (resource, truth) -> {
          if (kind.isInstance(truth) && (name.isEmpty() || name.equals(resource))) {
            found.add(kind.cast(truth));
          }
        });
    if (found.size() == 1) {
      return found.get(0);
    }
    String which = name.isEmpty() ? "a resource of its kind" : "resource '" + name + "'";
    if (found.isEmpty()) {
      throw new CrashLabException(
          Problem.Kind.NOT_WRAPPED,
          "%s looks at %s, which was never wrapped; wrapped are %s. Make it through the Resources that the application is started with."
              .formatted(wanted, which, byName.keySet()));
    }
    throw new CrashLabException(
        Problem.Kind.INCOMPLETE_SCENARIO,
        "%s may look at any of %s. Say which: in(\"name\").".formatted(wanted, byName.keySet()));
  }

  synchronized void begin() {
    byName.values().forEach(Truth::begin);
  }

  synchronized void lookAnew() {
    byName.values().forEach(Truth::lookAnew);
  }

  synchronized Duration delay() {
    return byName.values().stream()
        .map(Truth::delay)
        .max(Duration::compareTo)
        .orElse(Duration.ZERO);
  }

  @Override
  public synchronized void close() {
    byName.values().forEach(Truth::close);
  }
}
