package dev.holdfast.crashtest.report;

/**
 * One wrong thing that one run shows.
 *
 * @param verdict its kind
 * @param text what was expected, what is there, and the call sites of both
 */
public record Finding(Verdict verdict, String text) {

  @Override
  public String toString() {
    return verdict + ": " + text;
  }
}
