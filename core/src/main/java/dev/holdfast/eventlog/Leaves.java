package dev.holdfast.eventlog;

import dev.holdfast.InvalidConfiguration;
import java.lang.reflect.Modifier;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * For builders: the concrete classes of a sealed type, and which of several handlers is for which.
 */
public final class Leaves {
  private Leaves() {}

  /**
   * @param what names the type's role, for people
   * @throws InvalidConfiguration when somebody could add one that is not known here
   */
  public static Set<Class<?>> of(String what, Class<?> type) {
    Set<Class<?>> leaves = new LinkedHashSet<>();
    collect(what, type, type, leaves);
    return leaves;
  }

  private static void collect(String what, Class<?> root, Class<?> type, Set<Class<?>> leaves) {
    if (type.isSealed()) {
      if (!type.isInterface() && !Modifier.isAbstract(type.getModifiers())) {
        leaves.add(type);
      }
      for (Class<?> permitted : type.getPermittedSubclasses()) {
        collect(what, root, permitted, leaves);
      }
    } else if (Modifier.isFinal(type.getModifiers())) {
      leaves.add(type);
    } else {
      throw new InvalidConfiguration(
          "%s %s is not sealed, so that nobody can tell whether each %s of %s is handled. Nothing was built. Make it sealed, or final; records are."
              .formatted(
                  what, type.getName(), what.toLowerCase(java.util.Locale.ROOT), root.getName()));
    }
  }

  /**
   * Finds the handler of each class: its own, or that of the one type above it that has one.
   *
   * @param method how handlers are added, for people
   * @throws InvalidConfiguration when a class has none, or several
   */
  public static <H> Map<Class<?>, H> assign(
      Set<Class<?>> leaves, Map<Class<?>, H> handlers, String method) {
    Map<Class<?>, H> assigned = new java.util.LinkedHashMap<>();
    List<String> missing = new ArrayList<>();
    for (Class<?> leaf : leaves) {
      H handler = find(leaf, handlers);
      if (handler == null) {
        missing.add(leaf.getName());
      } else {
        assigned.put(leaf, handler);
      }
    }
    if (!missing.isEmpty()) {
      throw new InvalidConfiguration(
          "Nobody handles %s. Nothing was built. Add %s for each."
              .formatted(String.join(", ", missing), method));
    }
    return assigned;
  }

  private static <H> @Nullable H find(Class<?> leaf, Map<Class<?>, H> handlers) {
    H own = handlers.get(leaf);
    if (own != null) {
      return own;
    }
    List<Class<?>> above =
        handlers.keySet().stream()
            .filter(type -> type.isAssignableFrom(leaf))
            .<Class<?>>map(type -> type)
            .toList();
    // The nearest one, where one is below all the others.
    List<Class<?>> nearest =
        above.stream()
            .filter(type -> above.stream().allMatch(other -> other.isAssignableFrom(type)))
            .<Class<?>>map(type -> type)
            .toList();
    if (above.size() > 1 && nearest.isEmpty()) {
      throw new InvalidConfiguration(
          "%s is handled as each of %s. Nothing was built. Add a handler of its own."
              .formatted(leaf.getName(), above));
    }
    return nearest.isEmpty() ? null : handlers.get(nearest.get(0));
  }
}
