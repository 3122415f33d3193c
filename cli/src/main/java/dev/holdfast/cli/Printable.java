package dev.holdfast.cli;

/** Text that an application has chosen, as a line of a terminal can show it. */
final class Printable {
  private Printable() {}

  /** Without line breaks and whatever else a terminal would obey. */
  static String of(String text) {
    return text.replaceAll("\\p{Cntrl}+", " ");
  }
}
