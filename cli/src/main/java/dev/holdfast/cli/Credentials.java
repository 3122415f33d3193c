package dev.holdfast.cli;

import java.util.regex.Pattern;

/** Keeps passwords out of everything that is shown. */
public final class Credentials {
  private static final Pattern QUOTED =
      Pattern.compile("((?i:password|passwd|pwd|secret|token)\\s*[=:]\\s*)([\"'])(.*?)\\2");
  private static final Pattern PARAMETER =
      Pattern.compile("((?i:\\b\\w*(?:password|passwd|pwd|secret|token))=)[^&\\s\"';,*]+");
  private static final Pattern USER_INFO = Pattern.compile("(://)([^/\\s:@?]*):([^/\\s?]*)@");

  private Credentials() {}

  /** The text with every password in it replaced by {@code ***}. */
  public static String mask(String text) {
    String masked = QUOTED.matcher(text).replaceAll("$1$2***$2");
    masked = PARAMETER.matcher(masked).replaceAll("$1***");
    return USER_INFO.matcher(masked).replaceAll("$1$2:***@");
  }
}
