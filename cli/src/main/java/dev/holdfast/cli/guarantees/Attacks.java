package dev.holdfast.cli.guarantees;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * The tests that attack each clause, as the build has found them in their sources and written them
 * down.
 *
 * @param byClause names of tests, by the clause's id
 */
record Attacks(Map<String, List<String>> byClause) {
  static final String RESOURCE = "attacks.json";

  static Attacks load() {
    try (InputStream in = Attacks.class.getResourceAsStream(RESOURCE)) {
      return new Attacks(
          new ObjectMapper()
              .readValue(Objects.requireNonNull(in, RESOURCE), new TypeReference<>() {}));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  List<String> on(String clause) {
    return byClause.getOrDefault(clause, List.of());
  }
}
