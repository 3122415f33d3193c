package dev.holdfast.doctor;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one check found about one subject. Immutable. Holds no payload and no credentials.
 *
 * @param id the check, stable over versions: {@code channel.leader}
 * @param subject what it is about, such as a channel's name; empty when there is but one
 * @param found what is the case
 * @param meaning what follows from it; {@code null} when nothing does
 * @param remedy what to do: SQL or a command, as one would type it; {@code null} when nothing
 * @param evidence the figures, by name: numbers, texts and truth values
 */
public record Finding(
    String id,
    Severity severity,
    String subject,
    String found,
    @Nullable String meaning,
    @Nullable String remedy,
    Map<String, Object> evidence) {

  public Finding {
    evidence = Collections.unmodifiableMap(new LinkedHashMap<>(evidence));
  }

  /** As it should be. */
  public static Finding ok(String id, String subject, String found, Map<String, Object> evidence) {
    return new Finding(id, Severity.OK, subject, found, null, null, evidence);
  }

  /** As {@link #ok(String, String, String, Map)}, without figures. */
  public static Finding ok(String id, String found) {
    return ok(id, "", found, Map.of());
  }

  /** Something to do. */
  public static Finding of(
      Severity severity,
      String id,
      String subject,
      String found,
      String meaning,
      String remedy,
      Map<String, Object> evidence) {
    return new Finding(id, severity, subject, found, meaning, remedy, evidence);
  }

  /** There was no answer. */
  public static Finding unknown(String id, String subject, String why, String remedy) {
    return new Finding(
        id,
        Severity.UNKNOWN,
        subject,
        why,
        "Whether it is as it should be is not known.",
        remedy,
        Map.of());
  }
}
