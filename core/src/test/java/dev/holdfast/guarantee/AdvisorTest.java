package dev.holdfast.guarantee;

import static dev.holdfast.boundary.Capability.COMPENSATION;
import static dev.holdfast.boundary.Capability.DEDUPLICATION;
import static dev.holdfast.boundary.Capability.EXPECTED_VERSION;
import static dev.holdfast.boundary.Capability.IDEMPOTENCY_KEY;
import static dev.holdfast.boundary.Capability.LOCAL_TRANSACTION;
import static dev.holdfast.boundary.Capability.LOOKUP;
import static dev.holdfast.boundary.Capability.ORDER_PER_KEY;
import static dev.holdfast.boundary.Capability.PREPARE;
import static dev.holdfast.boundary.Capability.PROGRESS_MARK;
import static dev.holdfast.boundary.Capability.RESERVATION;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Boundary;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Scenarios with the ranking that is expected of each. */
final class AdvisorTest {
  private static final Map<String, Declared> KINDS =
      Stream.of(
              Declared.of("db", LOCAL_TRANSACTION, PREPARE, EXPECTED_VERSION, LOOKUP, COMPENSATION),
              Declared.of("db2", LOCAL_TRANSACTION, PREPARE, EXPECTED_VERSION, LOOKUP),
              // Commits and keeps rows, but knows neither versions nor prepared commits.
              Declared.of("plain-db", LOCAL_TRANSACTION, LOOKUP),
              Declared.of("kafka", ORDER_PER_KEY, PROGRESS_MARK),
              Declared.of("kafka-plain", ORDER_PER_KEY),
              Declared.of("jms", LOCAL_TRANSACTION, PREPARE),
              Declared.of("http"),
              Declared.of("http-key").with(IDEMPOTENCY_KEY, Duration.ofHours(24)),
              Declared.of("http-key-unsaid", IDEMPOTENCY_KEY),
              Declared.of("http-lookup", LOOKUP),
              Declared.of("http-undo", COMPENSATION),
              Declared.of("flight", COMPENSATION).with(IDEMPOTENCY_KEY, Duration.ofDays(30)),
              Declared.of("hotel", COMPENSATION).with(IDEMPOTENCY_KEY, Duration.ofDays(30)),
              Declared.of("seats").with(RESERVATION, Duration.ofMinutes(15)),
              Declared.of("search", EXPECTED_VERSION, LOOKUP),
              Declared.of("queue", ORDER_PER_KEY).with(DEDUPLICATION, Duration.ofMinutes(5)),
              Declared.of("email"))
          .collect(Collectors.toMap(Declared::description, kind -> kind));

  @ParameterizedTest(name = "{0} [{1}]")
  @CsvSource({
    // One commit suffices.
    "db db,              '',                    LOCAL_TRANSACTION",
    "db,                 NOW ORDER,             LOCAL_TRANSACTION",
    "kafka kafka,        ORDER NO_DUPLICATE,    LOCAL_TRANSACTION",
    "jms jms,            NOW,                   LOCAL_TRANSACTION",
    "< db db,            NO_DUPLICATE,          LOCAL_TRANSACTION",
    "< kafka kafka,      ORDER NO_DUPLICATE,    LOCAL_TRANSACTION",
    // A database and a broker.
    "db kafka,           '',                    OUTBOX EVENT_SOURCING WORKFLOW",
    "db kafka kafka,     '',                    OUTBOX EVENT_SOURCING WORKFLOW",
    "db kafka,           ORDER,                 OUTBOX EVENT_SOURCING",
    "db kafka,           NO_DUPLICATE,          OUTBOX EVENT_SOURCING",
    "db kafka,           NOW,                   ''",
    "db kafka,           AVAILABLE,             OUTBOX EVENT_SOURCING WORKFLOW",
    "db kafka-plain,     ORDER,                 OUTBOX EVENT_SOURCING",
    "db kafka-plain,     NO_DUPLICATE,          ''",
    "kafka db,           '',                    OUTBOX EVENT_SOURCING WORKFLOW",
    "plain-db kafka,     '',                    OUTBOX WORKFLOW",
    "db jms,             NOW,                   TWO_PHASE_COMMIT",
    "db jms,             NO_DUPLICATE,          TWO_PHASE_COMMIT",
    "jms db,             NOW,                   TWO_PHASE_COMMIT",
    "db jms,             ORDER,                 ''",
    "db queue,           NO_DUPLICATE,          OUTBOX EVENT_SOURCING WORKFLOW",
    "db queue,           NO_DUPLICATE 4m,       OUTBOX EVENT_SOURCING WORKFLOW",
    "db queue,           NO_DUPLICATE 5m,       ''",
    "db queue,           ORDER 5m,              OUTBOX EVENT_SOURCING",
    // Two databases.
    "db db2, '', OUTBOX EVENT_SOURCING RECONCILIATION WORKFLOW TWO_PHASE_COMMIT",
    "db db2,             NOW,                   TWO_PHASE_COMMIT",
    "db db2,             ORDER,                 OUTBOX EVENT_SOURCING TWO_PHASE_COMMIT",
    "db db2, NO_DUPLICATE 3d, OUTBOX EVENT_SOURCING RECONCILIATION WORKFLOW TWO_PHASE_COMMIT",
    "db db2,             REPLY,                 TWO_PHASE_COMMIT WORKFLOW",
    "db db2, AVAILABLE, OUTBOX EVENT_SOURCING RECONCILIATION WORKFLOW",
    "db plain-db,        NOW,                   TWO_PHASE_COMMIT",
    "plain-db db,        NOW,                   TWO_PHASE_COMMIT",
    // A database and a service.
    "db http,            NO_DUPLICATE,          ''",
    "db http-key,        REPLY,                 WORKFLOW",
    "db http-key,        REPLY AVAILABLE,       ''",
    "db http-key,        NO_DUPLICATE,          OUTBOX EVENT_SOURCING WORKFLOW",
    "db http-key,        NO_DUPLICATE 12h,      OUTBOX EVENT_SOURCING WORKFLOW",
    "db http-key,        NO_DUPLICATE 3d,       ''",
    "db http-key,        3d,                    OUTBOX EVENT_SOURCING WORKFLOW",
    "db http-key-unsaid, NO_DUPLICATE,          ''",
    "db http-lookup,     NO_DUPLICATE 3d,       WORKFLOW",
    "db http-undo,       NO_DUPLICATE 3d,       WORKFLOW",
    "db flight hotel,    REPLY NO_DUPLICATE,    WORKFLOW",
    "db flight http-key, REPLY NO_DUPLICATE,    WORKFLOW",
    "db http http-key,   REPLY,                 ''",
    "flight hotel,       REPLY NO_DUPLICATE,    WORKFLOW",
    "http http,          '',                    WORKFLOW",
    "db seats,           REPLY,                 RESERVATION WORKFLOW",
    "db seats,           REPLY NO_DUPLICATE,    RESERVATION",
    "db seats,           REPLY 10m,             RESERVATION WORKFLOW",
    "db seats,           REPLY NO_DUPLICATE 1h, ''",
    "db seats,           NOW,                   ''",
    "db email,           '',                    OUTBOX EVENT_SOURCING WORKFLOW",
    // A derived store.
    "db search,          '',                    OUTBOX EVENT_SOURCING RECONCILIATION WORKFLOW",
    "db search,          ORDER,                 OUTBOX EVENT_SOURCING",
    "db search,          NOW,                   ''",
    // One effect without a transaction.
    "email,              '',                    LOCAL_TRANSACTION WORKFLOW",
    "email,              NO_DUPLICATE,          ''",
    "http-lookup,        NO_DUPLICATE,          WORKFLOW",
    // A message, then effects.
    "< kafka db,         ORDER NO_DUPLICATE,    INBOX",
    "< kafka db,         '',                    INBOX WORKFLOW",
    "< jms db,           ORDER,                 ''",
    "< db db2,           ORDER,                 INBOX",
    "< jms db kafka,     ORDER,                 ''",
    "< kafka db kafka,   ORDER NO_DUPLICATE,    OUTBOX EVENT_SOURCING",
    "< kafka db db2,     NOW,                   INBOX TWO_PHASE_COMMIT",
    "< kafka http,       '',                    INBOX WORKFLOW",
    "< kafka http,       NO_DUPLICATE,          ''",
    "< kafka search,     ORDER NO_DUPLICATE,    INBOX",
    "< kafka http-key,   NO_DUPLICATE 3d,       ''",
  })
  void ranksTheCheapestSoundResolutionFirst(String effects, String needs, String expected) {
    assertThat(rank(effects, needs).sound())
        .extracting(advice -> advice.resolution().name())
        .containsExactly(words(expected));
  }

  @ParameterizedTest(name = "{0} [{1}] {2}")
  @CsvSource({
    // caller's forced writes, caller's round trips, forced writes in all, agents
    "db db,          '',    LOCAL_TRANSACTION, 1 0 1 0",
    "db kafka,       '',    OUTBOX,            1 0 2 1",
    "db kafka email, '',    OUTBOX,            1 0 3 1",
    "db db2,         '',    TWO_PHASE_COMMIT,  2 2 3 1",
    "db db2 jms,     NOW,   TWO_PHASE_COMMIT,  3 3 5 1",
    "db seats,       REPLY, RESERVATION,       2 1 3 1",
    "db http-key,    '',    WORKFLOW,          1 0 4 1",
    "db http-key,    REPLY, WORKFLOW,          4 3 4 1",
    "flight hotel,   '',    WORKFLOW,          1 0 7 1",
    "< kafka db,     '',    INBOX,             1 1 1 0",
    "< kafka db kafka, '',  OUTBOX,            1 1 2 1",
    "db search,      '',    RECONCILIATION,    1 0 2 1",
  })
  void countsWhatEachCosts(String effects, String needs, Resolution resolution, String cost) {
    int[] figures = Arrays.stream(words(cost)).mapToInt(Integer::parseInt).toArray();

    assertThat(advice(rank(effects, needs), resolution).cost())
        .isEqualTo(new Cost(figures[0], figures[1], figures[2], figures[3]));
  }

  @ParameterizedTest(name = "{0} [{1}] {2}")
  @CsvSource(
      delimiter = '|',
      value = {
        "db kafka|''|LOCAL_TRANSACTION|the effects commit apart: db, kafka",
        "db kafka|''|TWO_PHASE_COMMIT|kafka cannot prepare a commit",
        "db kafka|''|RESERVATION|kafka cannot hold an effect",
        "db kafka|''|INBOX|the operation does not begin with a message that its sender would repeat",
        "db kafka|NOW|OUTBOX|now: the caller is answered before the other effects",
        "db email|ORDER|OUTBOX|order: email does not keep it",
        "db kafka-plain|NO_DUPLICATE|OUTBOX|no-duplicate: nothing absorbs a repeat at kafka-plain",
        "db http-key|NO_DUPLICATE 3d|OUTBOX|no-duplicate: an idempotency key at http-key lasts 24 h,"
            + " and an outage may last 3 d",
        "db seats|3d|RESERVATION|a hold at seats lasts 15 min, and an outage may last 3 d",
        "db db2|AVAILABLE|TWO_PHASE_COMMIT|available: every boundary has to be there before the"
            + " caller is answered",
        "plain-db kafka|''|EVENT_SOURCING|plain-db cannot append on condition of the version before",
        "db http http-key|REPLY|WORKFLOW|reply: more than one effect cannot be undone: http,"
            + " http-key",
        "http email|''|OUTBOX|no effect is at a boundary with transactions and lookups, to record it"
            + " with",
        "db db|''|OUTBOX|one transaction at db holds it all",
        "< jms db|ORDER|INBOX|order: jms redelivers out of it",
        "< kafka db|''|OUTBOX|nothing has to follow the commit at db",
        "< kafka db|''|LOCAL_TRANSACTION|the message from kafka and the effect at db commit apart",
      })
  void saysWhatExcludesAResolution(
      String effects, String needs, Resolution resolution, String reason) {
    assertThat(rank(effects, needs).excluded())
        .filteredOn(excluded -> excluded.resolution() == resolution)
        .singleElement()
        .satisfies(excluded -> assertThat(excluded.reasons()).containsExactly(reason));
  }

  @Test
  void saysThatACrashMayRepeatAnEffectThatNothingAbsorbs() {
    assertThat(first("db email", "").givenUp()).contains("a crash may repeat the effect at email");
    assertThat(first("db kafka", "").givenUp()).noneMatch(given -> given.contains("repeat"));
  }

  @Test
  void saysUntilWhenARepeatIsRecognised() {
    assertThat(first("db http-key", "").absorbs())
        .containsExactly(
            new Absorption(
                "http-key",
                Optional.of(IDEMPOTENCY_KEY),
                "an idempotency key",
                Optional.of(Duration.ofHours(24))));
    assertThat(first("db http-key", "3d").givenUp())
        .contains(
            "a repeat at http-key that comes more than 24 h after the first is not recognised");
    assertThat(first("db kafka", "3d").absorbs())
        .containsExactly(
            new Absorption(
                "kafka",
                Optional.of(PROGRESS_MARK),
                "progress committed with the effect",
                Optional.empty()));
  }

  @Test
  void prefersWhatAbsorbsForLonger() {
    Declared both =
        Declared.of("service")
            .with(DEDUPLICATION, Duration.ofDays(7))
            .with(IDEMPOTENCY_KEY, Duration.ofHours(24));

    assertThat(
            Advisor.rank(List.of(kind("db"), both), Needs.NONE)
                .best()
                .orElseThrow()
                .absorbs()
                .get(0)
                .by())
        .contains(DEDUPLICATION);
  }

  @Test
  void undoesBeforeARepeatOnlyWhereNothingSimplerLastsLongEnough() {
    assertThat(first("flight hotel", "").absorbs())
        .extracting(absorption -> absorption.by().orElseThrow())
        .containsOnly(IDEMPOTENCY_KEY);
    assertThat(first("flight hotel", "31d").absorbs())
        .extracting(absorption -> absorption.by().orElseThrow())
        .containsOnly(COMPENSATION);
  }

  @Test
  void recordsWhereItIsCheapestWhicheverEffectComesFirst() {
    assertThat(first("kafka db", "").recordedAt()).contains("db");
    assertThat(first("plain-db db", "NOW").recordedAt()).contains("plain-db");
    assertThat(first("jms db", "NOW").recordedAt()).contains("db");
    assertThat(first("flight hotel", "").recordedAt()).isEmpty();
  }

  @Test
  void putsAnInboxBeforeWhateverAMessageSetsOff() {
    Advice outbox = first("< kafka db kafka", "NO_DUPLICATE");

    assertThat(outbox.behindInbox()).isTrue();
    assertThat(outbox.carriedOut()).isEqualTo(Resolution.INBOX.carriedOut());
    assertThat(outbox.absorbs())
        .extracting(Absorption::boundary, Absorption::how)
        .containsExactly(
            tuple("db", "the message's id committed with the effect"),
            tuple("kafka", "progress committed with the effect"));
    assertThat(first("db kafka", "").behindInbox()).isFalse();
  }

  @Test
  void saysWhatAnAcknowledgmentDoesNotCover() {
    Declared broker = kind("kafka").acknowledging(Acknowledgment.REPLICATED);
    Declared mail = kind("email").acknowledging(Acknowledgment.ACCEPTED);

    assertThat(
            Advisor.rank(List.of(kind("db"), broker, mail), Needs.NONE)
                .best()
                .orElseThrow()
                .givenUp())
        .contains(
            "what all replicas of kafka lose at once: it acknowledges before it is on their disks",
            "what email loses after it has accepted it, which is all that it acknowledges");
  }

  @Test
  void refusesAnOperationWithoutEffects() {
    assertThatThrownBy(() -> Advisor.rank(List.of(), Needs.NONE))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> Needs.NONE.withOutage(Duration.ZERO))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private static Advice first(String effects, String needs) {
    return rank(effects, needs).best().orElseThrow();
  }

  private static Advice advice(Ranking ranking, Resolution resolution) {
    return ranking.sound().stream()
        .filter(advice -> advice.resolution() == resolution)
        .findFirst()
        .orElseThrow();
  }

  /** A message comes from the boundary behind {@code <}. */
  private static Ranking rank(String effects, String needs) {
    List<String> names = List.of(words(effects));
    if (names.get(0).equals("<")) {
      return Advisor.rankConsumed(
          kind(names.get(1)), boundaries(names.subList(2, names.size())), needs(needs));
    }
    return Advisor.rank(boundaries(names), needs(needs));
  }

  private static List<Boundary> boundaries(List<String> names) {
    return names.stream().<Boundary>map(AdvisorTest::kind).toList();
  }

  private static Declared kind(String name) {
    return Objects.requireNonNull(KINDS.get(name), name);
  }

  /** Names of needs, and an outage, which begins with a digit. */
  private static Needs needs(String text) {
    List<Need> each = new ArrayList<>();
    Optional<Duration> outage = Optional.empty();
    for (String word : words(text)) {
      if (Character.isDigit(word.charAt(0))) {
        outage = Optional.of(Duration.parse((word.endsWith("d") ? "P" : "PT") + word));
      } else {
        each.add(Need.valueOf(word));
      }
    }
    Needs needs = Needs.of(each.toArray(Need[]::new));
    return outage.map(needs::withOutage).orElse(needs);
  }

  private static String[] words(String text) {
    return text.isEmpty() ? new String[0] : text.split(" ");
  }
}
