package dev.holdfast.guarantee;

import dev.holdfast.boundary.Assumption;
import java.util.List;

/**
 * One promise at one boundary.
 *
 * @param id stable over versions; the tests that attack it name it: {@code outbox.order}
 * @param boundary the {@linkplain dev.holdfast.boundary.Boundary#kind() kind} of the boundary at
 *     which it holds
 * @param text the promise, as a sentence
 * @param assumes what it rests on
 */
public record Clause(
    String id, Aspect aspect, String boundary, String text, List<Assumption> assumes) {
  public Clause {
    assumes = List.copyOf(assumes);
  }
}
