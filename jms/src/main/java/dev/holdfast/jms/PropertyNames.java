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
