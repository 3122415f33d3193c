package dev.holdfast.guarantee;

import java.util.List;

/**
 * One resolution that applies to an operation.
 *
 * @param resolution what to do
 * @param absorbs per boundary after the first, what makes a repeat harmless there
 * @param givenUp what one local transaction would have given and this does not
 */
public record Advice(Resolution resolution, List<String> absorbs, List<String> givenUp) {
  public Advice {
    absorbs = List.copyOf(absorbs);
    givenUp = List.copyOf(givenUp);
  }
}
