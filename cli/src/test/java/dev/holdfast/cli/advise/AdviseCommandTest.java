package dev.holdfast.cli.advise;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.boundary.Capability;
import dev.holdfast.cli.Run;
import dev.holdfast.guarantee.Need;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class AdviseCommandTest {
  @Test
  void saysWhatToDoWhyAtWhatCostAndWhatNot() {
    assertThat(
            advise("postgresql:orders kafka:orders.placed --need order,no-duplicate --outage 3d")
                .result())
        .contains("needs: order, no-duplicate, outages of up to 3d.")
        .containsPattern("Do +outbox; this version carries it out\n")
        .containsPattern("Record +a message row, with the first effect, at postgresql\n")
        .containsPattern("After a crash +the relay\n")
        .containsPattern("the caller waits for 1 forced write and 0 round trips more\n")
        .containsPattern("in all 2 forced writes, and 1 agent to run\n")
        .contains("at kafka is absorbed by progress committed with the effect, without limit")
        .containsPattern(
            "Given up +simultaneity: nothing of it is at kafka before the relay has run\n")
        .containsPattern("Provided +kafka: consumers read read_committed\n")
        .containsPattern("event sourcing .* carries it out\n")
        .containsPattern("local transaction +the effects commit apart: postgresql, kafka\n")
        .containsPattern("two-phase commit +kafka cannot prepare a commit\n");
  }

  @ParameterizedTest
  @CsvSource({
    "postgresql:orders postgresql:outbox, LOCAL_TRANSACTION, NOTHING_NEEDED",
    "kafka:a kafka:b, LOCAL_TRANSACTION, NOTHING_NEEDED",
    "postgresql kafka, OUTBOX, CARRIED_OUT",
    "postgresql kafka kafka-plain, OUTBOX, CARRIED_OUT",
    "postgresql http-key, OUTBOX, TARGET_NEEDED",
    "mariadb kafka, OUTBOX, PLANNED",
    "postgresql@a postgresql@b --need now, TWO_PHASE_COMMIT, CARRIED_OUT",
    "postgresql mariadb --need now, TWO_PHASE_COMMIT, CARRIED_OUT",
    "postgresql mysql --need now, TWO_PHASE_COMMIT, PLANNED",
    "postgresql http-key --need reply, WORKFLOW, CARRIED_OUT",
    "postgresql http+hold=15m:seats --need reply --outage 10m, RESERVATION, PLANNED",
    "--consumed kafka postgresql, INBOX, CARRIED_OUT",
    "--consumed jms postgresql, INBOX, CARRIED_OUT",
    "--consumed rabbitmq postgresql, INBOX, CARRIED_OUT",
    "--consumed http:checkout postgresql, INBOX, CARRIED_OUT",
    "--consumed sqs postgresql, INBOX, CONSUMER_NEEDED",
    "--consumed http:checkout postgresql webhook:billing, OUTBOX, CARRIED_OUT",
    "postgresql webhook, OUTBOX, CARRIED_OUT",
    "postgresql rabbitmq, OUTBOX, CARRIED_OUT",
    "--consumed kafka opensearch, INBOX, PLANNED",
    "--consumed kafka postgresql kafka, OUTBOX, CARRIED_OUT",
    "postgresql rabbitmq+dedup=7d --need no-duplicate --outage 3d, OUTBOX, CARRIED_OUT",
  })
  void advisesFirst(String line, String resolution, String readiness) {
    JsonNode first = advise(line + " --json").json().get("sound").get(0);

    assertThat(first.get("resolution").asText()).isEqualTo(resolution);
    assertThat(first.get("readiness").asText()).isEqualTo(readiness);
  }

  @Test
  void tellsInJsonUntilWhenARepeatIsAbsorbed() {
    JsonNode answer = advise("postgresql:orders http+key=7d:payments --outage 3d --json").json();
    JsonNode first = answer.get("sound").get(0);

    assertThat(answer.get("outage_seconds").asLong()).isEqualTo(Duration.ofDays(3).toSeconds());
    assertThat(answer.get("effects").get(1).get("boundary").asText()).isEqualTo("http:payments");
    assertThat(first.get("caller_forced_writes").asInt()).isEqualTo(1);
    assertThat(first.get("caller_round_trips").asInt()).isZero();
    assertThat(first.get("forced_writes").asInt()).isEqualTo(2);
    assertThat(first.get("agents").asInt()).isEqualTo(1);
    assertThat(first.get("recorded_at").asText()).isEqualTo("postgresql");
    assertThat(first.get("absorbs").get(0).get("by").asText()).isEqualTo("IDEMPOTENCY_KEY");
    assertThat(first.get("absorbs").get(0).get("window_seconds").asLong())
        .isEqualTo(Duration.ofDays(7).toSeconds());
    assertThat(answer.get("excluded").findValuesAsText("resolution"))
        .contains("LOCAL_TRANSACTION", "TWO_PHASE_COMMIT");
    assertThat(answer.get("excluded").get(0).get("reasons").get(0).asText())
        .isEqualTo("the effects commit apart: postgresql, http:payments");
  }

  @Test
  void whereNothingIsSoundTheStatusIsOneAndEachSingleChangeThatHelpsIsNamed()
      throws JsonProcessingException {
    String line = "postgresql http-key:payments --need no-duplicate --outage 3d";
    Run run = advise(line);

    assertThat(run.status()).isEqualTo(1);
    assertThat(run.err()).isEmpty();
    assertThat(run.out())
        .contains("No resolution meets this.")
        .contains("without the need no-duplicate: outbox")
        .contains("with a shorter outage: outbox")
        .contains("if http-key:payments offered key for more than 3d (")
        .containsPattern("if http-key:payments offered lookup .*: workflow")
        .contains("an idempotency key at http-key:payments lasts 24 h, and an outage may last 3 d");
    Run asJson = advise(line + " --json");
    assertThat(asJson.status()).isEqualTo(1);
    JsonNode answer = new ObjectMapper().readTree(asJson.out());
    assertThat(answer.get("sound")).isEmpty();
    assertThat(answer.get("would_help")).isNotEmpty();
  }

  @Test
  void whereNoSingleChangeHelpsThatIsSaid() {
    assertThat(advise("email http --need now,order").out())
        .containsPattern("Would help +no one change; drop several needs");
  }

  @ParameterizedTest
  @CsvSource({
    "postgres:orders, There is no kind 'postgres'. Is 'postgresql' meant?",
    "opensaerch, There is no kind 'opensaerch'. Is 'opensearch' meant?",
    "zzz, There is no kind 'zzz'. The kinds are: postgresql",
    "postgresql kafka --need orders, Is 'order' meant? The needs are:",
    "http+keys=1h, There is no offer 'keys'. Is 'key' meant?",
    "http+key, does not say for how long: +key=24h",
    "http+lookup=1h, gives a time for lookup",
    "http+key=1h+key=2h, names key twice",
    "http+key=soon, 'soon'",
    "postgresql@, Nothing stands behind the '@'",
    "postgresql:, Nothing stands behind the ':'",
    "postgresql kafka --outage 3, must be a number and a unit: 30s",
    "postgresql kafka --outage 0d, must be longer than zero",
    "postgresql kafka --outage 9999999999d, must be a number and a unit",
    "postgresql kafka --need now --need available, available and now contradict",
    "postgresql http --need reply --need available, available and reply contradict",
    "--consumed kafka, Name an effect as well",
    "http+lookup:pay http:pay, are said to offer different things",
    "'', Missing required parameter: 'EFFECT'",
  })
  void whatIsNotUnderstoodIsStatusTwoWithTheReason(String line, String message) {
    Run run = line.isEmpty() ? Run.of("advise") : advise(line);

    assertThat(run.status()).isEqualTo(2);
    assertThat(run.out()).isEmpty();
    assertThat(run.err()).contains(message);
  }

  @Test
  void aJournalThatNoneOfThePlacesCanHoldIsADatabaseOfItsOwn() {
    assertThat(advise("http-key+undo:flight http-key+undo:hotel --need reply").result())
        .contains("in the journal, in a database of its own\n");
  }

  @Test
  void oneEffectWithoutATransactionSaysWhatALostReplyDoes() {
    assertThat(advise("email").result())
        .contains("there is one commit: all of it happens, or nothing does")
        .contains("a crash may repeat the effect at email");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "postgresql://shop:s3cret@db/shop http://shop:s3cret@pay/charges",
        "postgresql://shop:s3cret@db/shop http://shop:s3cret@pay/charges --json",
        "http+lookup://shop:s3cret@pay/charges http://shop:s3cret@pay/charges",
      })
  void showsNoPassword(String line) {
    Run run = advise(line);

    assertThat(run.out() + run.err()).contains("shop:***@").doesNotContain("s3cret");
  }

  @Test
  void theSameKindWithoutAPlaceIsTheSamePlaceAndAPlaceTellsTwoApart() {
    assertThat(advise("postgresql:a postgresql:b").result()).contains("local transaction;");
    assertThat(advise("postgresql:a postgresql@other:b").result()).contains("outbox;");
  }

  @ParameterizedTest
  @EnumSource
  void helpSaysWhatEachKindOffers(Kind kind) {
    String offers =
        Arrays.stream(Offer.values())
            .filter(offer -> kind.capabilities().contains(offer.capability()))
            .map(offer -> Word.of(offer) + window(kind.window(offer.capability())))
            .collect(Collectors.joining(", "));

    assertThat(help())
        .containsPattern(
            "  %-14s%s( \\(.*\\))?\n"
                .formatted(Word.of(kind), offers.isEmpty() ? "nothing" : offers));
  }

  @ParameterizedTest
  @EnumSource
  void helpSaysWhatEachOfferMeans(Offer offer) {
    assertThat(help())
        .contains(
            "  %-14s%s\n"
                .formatted(Word.of(offer) + (offer.isTimed() ? "=TIME" : ""), offer.meaning()));
  }

  @ParameterizedTest
  @EnumSource
  void helpSaysWhatEachNeedMeans(Need need) {
    assertThat(help()).containsPattern("  %-14s[a-z]".formatted(Word.of(need)));
  }

  @Test
  void examplesInTheHelpGetAdvice() {
    List<String> examples =
        help()
            .lines()
            .filter(line -> line.startsWith("  holdfast advise "))
            .map(line -> line.strip().substring("holdfast ".length()))
            .toList();

    assertThat(examples).hasSizeGreaterThan(3);
    assertThat(examples).allSatisfy(line -> assertThat(Run.line(line).status()).isZero());
  }

  @ParameterizedTest
  @EnumSource
  void everyCapabilityHasAnOffer(Capability capability) {
    assertThat(Offer.of(capability)).isPresent();
  }

  private static String help() {
    return Run.of("advise", "--help").result();
  }

  private static String window(Optional<Duration> window) {
    Map<Duration, String> typed = Map.of(Duration.ofHours(24), "24h", Duration.ofMinutes(5), "5m");
    return window.map(time -> "=" + typed.get(time)).orElse("");
  }

  private static Run advise(String line) {
    return Run.line("advise " + line);
  }
}
