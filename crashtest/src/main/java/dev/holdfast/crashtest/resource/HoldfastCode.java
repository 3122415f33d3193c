package dev.holdfast.crashtest.resource;

import java.security.CodeSource;
import java.util.Set;

/**
 * Holdfast's own classes, through which user code commits. Holdfast's tests live in the same
 * packages and are user code; the build keeps them in a directory of their own.
 */
final class HoldfastCode {
  private static final String HOLDFAST = "dev.holdfast";
  private static final Set<String> PARTS =
      Set.of("boundary", "guarantee", "internal", "outbox", "postgres", "kafka");
  private static final String TESTS = "/test-classes/";

  private HoldfastCode() {}

  static boolean is(Class<?> type) {
    return isIn(type.getPackageName()) && !isTest(type);
  }

  private static boolean isIn(String packageName) {
    if (!packageName.startsWith(HOLDFAST)) {
      return false;
    }
    String rest = packageName.substring(HOLDFAST.length());
    if (rest.isEmpty()) {
      return true;
    }
    int end = rest.indexOf('.', 1);
    return rest.startsWith(".") && PARTS.contains(rest.substring(1, end < 0 ? rest.length() : end));
  }

  private static boolean isTest(Class<?> type) {
    CodeSource source = type.getProtectionDomain().getCodeSource();
    return source != null
        && source.getLocation() != null
        && source.getLocation().getPath().endsWith(TESTS);
  }
}
