package dev.holdfast.cli;

/** Text that an application or a sender has chosen, as a line of a terminal can show it. */
public final class Printable {
  private Printable() {}

  /** Without line breaks and whatever else a terminal would obey, the direction of text as well. */
  public static String of(String text) {
    return text.replaceAll("[\\p{Cc}\\p{Cf}\\p{Zl}\\p{Zp}]+", " ");
  }
}
