package dev.holdfast.cli.guarantees;

import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a boundary says of itself, for people and for programs. */
final class Declared {
  private Declared() {}

  static String sentence(Boundary boundary) {
    List<Capability> capabilities = sorted(boundary);
    return "%s offers %s; its acknowledgment means %s"
        .formatted(
            boundary.kind(),
            capabilities.isEmpty()
                ? "nothing"
                : capabilities.stream()
                    .map(capability -> words(capability) + lasting(boundary, capability))
                    .collect(Collectors.joining(", ")),
            words(boundary.acknowledgment()));
  }

  static Map<String, @Nullable Object> json(Boundary boundary) {
    Map<String, @Nullable Object> value = new LinkedHashMap<>();
    value.put("boundary", boundary.kind());
    value.put("capabilities", sorted(boundary).stream().map(Enum::name).toList());
    Map<String, Long> windows = new LinkedHashMap<>();
    for (Capability capability : sorted(boundary)) {
      boundary
          .window(capability)
          .ifPresent(window -> windows.put(capability.name(), window.toSeconds()));
    }
    value.put("window_seconds", windows);
    value.put("acknowledgment", boundary.acknowledgment().name());
    return value;
  }

  /** In the order in which they are declared, and not in that of a set. */
  private static List<Capability> sorted(Boundary boundary) {
    return boundary.capabilities().stream().sorted().toList();
  }

  private static String lasting(Boundary boundary, Capability capability) {
    Optional<Duration> window = boundary.window(capability);
    return window.isEmpty() ? "" : " for " + window.get().toSeconds() + " s";
  }

  private static String words(Enum<?> value) {
    return value.name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }
}
