package dev.holdfast.crashtest;

import java.util.List;

/**
 * What is there of one expected effect, for one key.
 *
 * @param values one for each occurrence, in the order of the resource where it has one
 * @param compensated how many of them have been made up for
 */
record Seen(List<String> values, int compensated) {
  Seen {
    values = List.copyOf(values);
  }

  int net() {
    return values.size() - compensated;
  }

  @Override
  public String toString() {
    return values.size() + (compensated > 0 ? " (" + compensated + " compensated)" : "");
  }
}
