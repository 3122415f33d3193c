package dev.holdfast.boundary;

import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Something outside of Holdfast that has to be true for what a boundary declares to hold.
 *
 * @param id stable over versions: {@code kafka.keeps-what-it-acknowledged}
 * @param of the capability that rests on it; {@code null} when the acknowledgment does
 * @param text what has to be true, as a sentence
 * @param checks the ids of the {@linkplain dev.holdfast.doctor.Finding findings} that tell whether
 *     it is; empty when no server can be asked
 */
public record Assumption(String id, @Nullable Capability of, String text, Set<String> checks) {
  public Assumption {
    checks = Set.copyOf(checks);
  }
}
