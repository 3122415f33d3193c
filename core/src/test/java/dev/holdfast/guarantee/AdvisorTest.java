package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.DEDUPLICATION;
import static dev.holdfast.boundary.Capability.EXPECTED_VERSION;
import static dev.holdfast.boundary.Capability.IDEMPOTENCY_KEY;
import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static dev.holdfast.boundary.Capability.LOOKUP;
import static dev.holdfast.boundary.Capability.ORDER_PER_KEY;
import static dev.holdfast.boundary.Capability.PREPARE;
import static dev.holdfast.boundary.Capability.PROGRESS_MARK;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Scenarios with the ranking that is expected of each. */
final class AdvisorTest {
  private static final Map<String, Set<Capability>> KINDS =
      Map.of(
          "db", Set.of(LOCAL_TRANSACTION, PREPARE, EXPECTED_VERSION, LOOKUP),
          "db2", Set.of(LOCAL_TRANSACTION, PREPARE, EXPECTED_VERSION, LOOKUP),
          "kafka", Set.of(ORDER_PER_KEY, PROGRESS_MARK),
          "kafka-plain", Set.of(ORDER_PER_KEY),
          "http", Set.of(),
          "http-key", Set.of(IDEMPOTENCY_KEY),
          "http-lookup", Set.of(LOOKUP),
          "search", Set.of(EXPECTED_VERSION, LOOKUP),
          "queue", Set.of(DEDUPLICATION),
          "email", Set.of());

  private record Declared(String description, Set<Capability> capabilities) implements Boundary {
    @Override
    public Acknowledgment acknowledgment() {
      return Acknowledgment.ACCEPTED;
    }
  }

  @ParameterizedTest(name = "{0} [{1}]")
  @CsvSource({
    "db db,                  '',                LOCAL_TRANSACTION",
    "db,                     NOW ORDER,         LOCAL_TRANSACTION",
    "email email,            '',                ''",
    "db kafka,               '',                OUTBOX WORKFLOW",
    "db kafka,               ORDER,             OUTBOX",
    "db kafka,               NO_DUPLICATE,      OUTBOX WORKFLOW",
    "db kafka,               NOW,               ''",
    "db kafka-plain,         ORDER,             OUTBOX",
    "db kafka-plain,         NO_DUPLICATE,      ''",
    "db db2,                 '',                OUTBOX TWO_PHASE_COMMIT WORKFLOW RECONCILIATION",
    "db db2,                 NOW,               TWO_PHASE_COMMIT",
    "db http,                NO_DUPLICATE,      ''",
    "db http-key,            REPLY,             WORKFLOW",
    "db http-key,            NO_DUPLICATE,      OUTBOX WORKFLOW",
    "db http-lookup,         NO_DUPLICATE,      WORKFLOW",
    "db search,              '',                OUTBOX WORKFLOW RECONCILIATION",
    "db queue,               NO_DUPLICATE,      OUTBOX WORKFLOW",
    "db email,               '',                OUTBOX WORKFLOW",
    "kafka db,               CONSUMED,          INBOX",
    "kafka db,               '',                OUTBOX WORKFLOW",
    "kafka http,             '',                ''",
  })
  void ranksTheCheapestSoundResolutionFirst(String effects, String needs, String expected) {
    assertThat(rank(effects, needs))
        .extracting(a -> a.resolution().name())
        .containsExactly(words(expected));
  }

  @Test
  void saysThatACrashMayRepeatAnEffectThatNothingAbsorbs() {
    assertThat(rank("db email", "").get(0).givenUp())
        .contains("a crash may repeat the effect at email");
    assertThat(rank("db kafka", "").get(0).givenUp()).noneMatch(g -> g.contains("repeat"));
  }

  @Test
  void refusesAnOperationWithoutEffects() {
    assertThatThrownBy(() -> Advisor.rank(List.of(), Set.of()))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static List<Advice> rank(String effects, String needs) {
    List<Boundary> boundaries =
        Arrays.stream(words(effects)).<Boundary>map(k -> new Declared(k, kind(k))).toList();
    return Advisor.rank(
        boundaries, Arrays.stream(words(needs)).map(Need::valueOf).collect(Collectors.toSet()));
  }

  private static Set<Capability> kind(String name) {
    return Objects.requireNonNull(KINDS.get(name), name);
  }

  private static String[] words(String text) {
    return text.isEmpty() ? new String[0] : text.split(" ");
  }
}
