package dev.holdfast.crashtest.resource;

import java.util.Set;

/** The lab's own classes, which are never the line of user code that is looked for. */
final class LabCode {
  private static final String LAB = "dev.holdfast.crashtest.";
  private static final Set<String> ENGINE =
      Set.of("Incarnation", "CrashLab", "Scenario", "RunExecution", "LabThread");

  private LabCode() {}

  static boolean is(String className) {
    if (!className.startsWith(LAB)) {
      return false;
    }
    String name = className.substring(LAB.length());
    int nested = name.indexOf('$');
    return ENGINE.contains(nested < 0 ? name : name.substring(0, nested));
  }
}
