package dev.holdfast.jms;

import java.util.Locale;
import java.util.Set;

/**
 * Names of headers as names of JMS properties, which have to be Java identifiers and must not be
 * words of the selector language: a dash becomes {@code _HYPHEN_} and a dot {@code _DOT_}, as in
 * Apache Camel; what begins with a digit or is reserved gets an underscore in front.
 */
final class PropertyNames {
  private static final Set<String> RESERVED =
      Set.of("NULL", "TRUE", "FALSE", "NOT", "AND", "OR", "BETWEEN", "LIKE", "IN", "IS", "ESCAPE");

  private PropertyNames() {}

  /** Whether a property may be called so. Those of senders that do not speak JMS need not be. */
  static boolean isAllowed(String name) {
    return !name.isEmpty()
        && Character.isJavaIdentifierStart(name.charAt(0))
        && name.chars().allMatch(Character::isJavaIdentifierPart)
        && !RESERVED.contains(name.toUpperCase(Locale.ROOT));
  }

  /** The name, or one that is allowed and can be recognized. */
  static String near(String name) {
    if (isAllowed(name) || name.isEmpty()) {
      return name.isEmpty() ? "_" : name;
    }
    StringBuilder near = new StringBuilder(of(name));
    for (int i = 0; i < near.length(); i++) {
      if (!Character.isJavaIdentifierPart(near.charAt(i))) {
        near.setCharAt(i, '_');
      }
    }
    return near.toString();
  }

  static String of(String header) {
    String name = header.replace("-", "_HYPHEN_").replace(".", "_DOT_");
    String upper = name.toUpperCase(Locale.ROOT);
    boolean taken =
        upper.startsWith("JMS")
            || upper.startsWith("_AMQ")
            || RESERVED.contains(upper)
            || !Character.isJavaIdentifierStart(name.charAt(0));
    return taken ? "_" + name : name;
  }
}
