package dev.holdfast.spring;

import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.bind.UnboundConfigurationPropertiesException;
import org.springframework.boot.context.properties.source.ConfigurationProperty;
import org.springframework.boot.diagnostics.AbstractFailureAnalyzer;
import org.springframework.boot.diagnostics.FailureAnalysis;
import org.springframework.core.Ordered;
import org.springframework.core.annotation.Order;

/** Names a property below {@code holdfast.} that does not exist, and the one that was meant. */
@Order(Ordered.HIGHEST_PRECEDENCE)
final class UnknownPropertyFailureAnalyzer
    extends AbstractFailureAnalyzer<UnboundConfigurationPropertiesException> {
  private static final String PREFIX = "holdfast.";

  @Override
  protected @Nullable FailureAnalysis analyze(
      Throwable rootFailure, UnboundConfigurationPropertiesException cause) {
    List<ConfigurationProperty> unknown =
        cause.getUnboundProperties().stream()
            .filter(property -> property.getName().toString().startsWith(PREFIX))
            .toList();
    if (unknown.isEmpty()) {
      return null;
    }
    String description =
        unknown.stream()
            .map(
                property ->
                    "There is no property %s (%s)."
                        .formatted(property.getName(), property.getOrigin()))
            .collect(Collectors.joining(System.lineSeparator()));
    String action =
        unknown.stream()
            .map(property -> "Did you mean " + nearest(property.getName().toString()) + "?")
            .distinct()
            .collect(Collectors.joining(System.lineSeparator()));
    return new FailureAnalysis(description, action, cause);
  }

  /** The existing name with the fewest characters to change. */
  static String nearest(String unknown) {
    String best = PREFIX;
    int least = Integer.MAX_VALUE;
    for (String name : names(HoldfastProperties.class, PREFIX, unknown.split("\\.", -1))) {
      int distance = distance(unknown, name);
      if (distance < least) {
        least = distance;
        best = name;
      }
    }
    return best;
  }

  /** A map's key is whatever the unknown name has at that place. */
  private static List<String> names(Class<?> type, String prefix, String[] unknown) {
    List<String> names = new ArrayList<>();
    for (RecordComponent component : type.getRecordComponents()) {
      String name = prefix + kebab(component.getName());
      Class<?> nested = component.getType();
      if (nested.isRecord()) {
        names.addAll(names(nested, name + ".", unknown));
        continue;
      }
      Class<?> value = Map.class.isAssignableFrom(nested) ? valueRecord(component) : null;
      if (value != null) {
        int depth = (int) name.chars().filter(c -> c == '.').count() + 1;
        String key = depth < unknown.length ? unknown[depth] : "name";
        names.addAll(names(value, name + "." + key + ".", unknown));
      } else {
        names.add(name);
      }
    }
    return names;
  }

  private static @Nullable Class<?> valueRecord(RecordComponent component) {
    Type value = ((ParameterizedType) component.getGenericType()).getActualTypeArguments()[1];
    return value instanceof Class<?> type && type.isRecord() ? type : null;
  }

  private static String kebab(String camel) {
    return camel.replaceAll("([A-Z])", "-$1").toLowerCase(Locale.ROOT);
  }

  /** Levenshtein's. */
  private static int distance(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int changed = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, 1 + Math.min(row[j], row[j - 1]));
      }
    }
    return row[other.length()];
  }
}
