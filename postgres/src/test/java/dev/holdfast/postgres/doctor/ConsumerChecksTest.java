package dev.holdfast.postgres.doctor;

import static dev.holdfast.postgres.doctor.Clinic.ill;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.doctor.Finding;
import dev.holdfast.doctor.Severity;
import dev.holdfast.inbox.store.ConsumerParking.Parked;
import dev.holdfast.inbox.store.OffsetStore;
import dev.holdfast.inbox.store.OffsetStore.Partition;
import dev.holdfast.inbox.store.OffsetStore.Position;
import java.sql.SQLException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.junit.jupiter.api.Test;

/** Consumers and the inbox, each ill once. */
final class ConsumerChecksTest {
  private static final UUID TOPIC = UUID.randomUUID();

  private final Clinic clinic = Clinic.healthy();

  private void reading() {
    clinic.store.offsets().register("billing");
    clinic.store.offsets().begin("billing", "orders", TOPIC, Map.of(0, 0L, 1, 7L));
  }

  private List<Reading> readings() {
    return new PostgresDoctor(clinic.dataSource, "holdfast", Limits.DEFAULT, InstantSource.system())
        .readings();
  }

  /** Where it is, as its reader does; one that is stopped is set there before. */
  private void stop(int number, String reason) {
    OffsetStore offsets = clinic.store.offsets();
    Position position =
        offsets.positions("billing").stream()
            .filter(each -> each.partition().number() == number)
            .findFirst()
            .orElseThrow();
    offsets.seek("billing", "orders", TOPIC, Map.of(number, position.next()));
    assertThat(offsets.stop("billing", position, reason)).isTrue();
  }

  @Test
  void databaseWithoutConsumersIsWellAndSoIsOneWhoseConsumersRun() {
    assertThat(clinic.of("consumer", Limits.DEFAULT)).isEmpty();
    assertThat(clinic.one("consumer.state").severity()).isEqualTo(Severity.OK);
    assertThat(readings()).isEmpty();

    reading();
    for (String id : List.of("consumer.state", "consumer.parked", "consumer.stopped")) {
      assertThat(clinic.one(id).severity()).as(id).isEqualTo(Severity.OK);
    }
    assertThat(readings()).hasSize(2).allMatch(Reading::reads);
    assertThat(readings().get(1).next()).isEqualTo(7);
    assertThat(readings().get(0).idsKept()).isNull();
  }

  @Test
  void consumerThatIsPausedSaysWhyAndForHowLong() throws SQLException {
    reading();
    clinic.store.offsets().pause("billing", "a migration");
    clinic.execute(
        "update holdfast.log_offset set moved_at = holdfast.now() - interval '300 s' where partition_no = 0",
        "update holdfast.log_offset set moved_at = holdfast.now() - interval '200 s' where partition_no = 1");

    Finding paused = ill(clinic.one("consumer.state"), Severity.WARN);
    assertThat(paused.subject()).isEqualTo("billing");
    assertThat(paused.found()).contains("a migration").containsPattern("no offset for 20\\d s");
    assertThat(paused.remedy()).isEqualTo("holdfast consumer resume billing");
    assertThat(readings()).noneMatch(Reading::reads);
  }

  @Test
  void partitionThatIsStoppedSaysWhyAndWhatToType() {
    reading();
    stop(
        1,
        "records from offset 7 to 8 were deleted before they were handled. Nothing was skipped or repeated. Decide where to go on: holdfast consumer continue billing --topic orders --partition 1 --offset N");

    Finding stopped = ill(clinic.one("consumer.stopped"), Severity.FAIL);
    assertThat(stopped.subject()).isEqualTo("billing: orders-1");
    assertThat(stopped.found())
        .contains("stopped at offset 7: records from offset 7 to 8 were deleted")
        .doesNotContain("holdfast consumer");
    assertThat(stopped.remedy())
        .isEqualTo("holdfast consumer continue billing --topic orders --partition 1 --offset N");
    assertThat(readings()).extracting(Reading::reads).containsExactly(true, false);
  }

  @Test
  void topicThatWasMadeAgainIsSoughtInAndOneThatHoldsBackTooMuchGoesOnWhereItWas() {
    reading();
    stop(
        0,
        "the topic was deleted and made again. Decide where to go on in the new one: holdfast consumer seek billing --topic orders");
    assertThat(clinic.one("consumer.stopped").remedy())
        .startsWith(
            "holdfast consumer seek billing --topic orders --kafka HOST:PORT --to-earliest");

    stop(
        0,
        "10 records are parked. Repair the handler, and let it go on: holdfast consumer continue billing --topic orders --partition 0");
    assertThat(clinic.one("consumer.stopped").remedy())
        .isEqualTo("holdfast consumer continue billing --topic orders --partition 0");
  }

  @Test
  void parkedKeysAreCountedWithTheirOldestAndTheCommandThatReleasesIt() throws SQLException {
    reading();
    clinic.execute(
        """
        insert into holdfast.log_lane (consumer, topic, topic_id, partition_no, lane, reason, parked_at)
        values ('billing', 'orders', '%1$s', 0, 'k:it''s', 'no such customer',
                holdfast.now() - interval '600 s'),
               ('billing', 'orders', '%1$s', 1, 'k:later', 'no', holdfast.now())
        """
            .formatted(TOPIC),
        """
        insert into holdfast.log_parked (consumer, topic_id, partition_no, record_offset, lane,
                                         created_ms, header_names, header_values)
        select 'billing', '%s', 0, n, 'k:it''s', 0, '{}', '{}' from generate_series(1, 3) n
        """
            .formatted(TOPIC));

    Finding parked = ill(clinic.one("consumer.parked"), Severity.WARN);
    assertThat(parked.found())
        .contains("2 key(s) are parked with 3 record(s)", "k:it's of orders-0: no such customer")
        .containsPattern("the oldest for 60\\d s");
    assertThat(parked.remedy())
        .endsWith("release billing --topic orders --partition 0 --lane 'k:it'\\''s'");
  }

  @Test
  void listenerOfAQueueIsNamedWithWhatItHasParkedAndIsNoReaderOfKafka() {
    Partition queue = Partition.ofQueue("rabbitmq", "orders");
    clinic.store.offsets().register("shipping");
    clinic.store.offsets().begin("shipping", "orders", queue.topicId(), Map.of(0, 0L));
    assertThat(clinic.one("consumer.state").found()).contains("to run, on 1 queue(s)");
    assertThat(readings()).isEmpty();
    assertThatThrownBy(
            () -> clinic.store.offsets().seek("shipping", "orders", TOPIC, Map.of(0, 0L)))
        .isInstanceOf(InvalidConfiguration.class);

    clinic
        .store
        .consumerParking()
        .hold(
            "shipping",
            new Parked(queue, 0, "k:a", null, 0, new byte[1], null, List.of()),
            "no such customer",
            10);
    Finding parked = ill(clinic.one("consumer.parked"), Severity.WARN);
    assertThat(parked.found()).contains("k:a of queue orders: no such customer");
    assertThat(parked.remedy())
        .endsWith("release shipping --topic orders --partition 0 --lane k:a");

    clinic.store.offsets().pause("shipping", "a migration");
    Finding paused = ill(clinic.one("consumer.state"), Severity.WARN);
    assertThat(paused.found()).isEqualTo("The consumer is paused: a migration.");
  }

  @Test
  void inboxTellsItsSizeAndWhenNobodyTurnsIt() throws SQLException {
    assertThat(clinic.one("inbox.size").found()).contains("No inbox");
    clinic.execute(
        "insert into holdfast.inbox_consumer values ('shipping', 3600000)",
        "insert into holdfast.inbox_0 (consumer, message_id) select 'shipping', n::text from generate_series(1, 500) n",
        "analyze holdfast.inbox_0");
    Finding size = clinic.one("inbox.size");
    assertThat(size.severity()).isEqualTo(Severity.OK);
    assertThat(size.found()).contains("about 500 id(s) of 1 consumer(s)", "for 3600 s at least");
    assertThat(clinic.one("storage.upkeep").severity()).isEqualTo(Severity.OK);

    clinic.execute(
        "update holdfast.inbox_ring set closed_at = holdfast.now() - interval '4 hours'");
    Finding late = ill(clinic.one("storage.upkeep"), Severity.WARN);
    assertThat(late.subject()).isEqualTo("inbox");
    assertThat(late.remedy()).contains("withUpkeep()");
  }

  @Test
  void idsOfAConsumerAreKeptForTheLongestOfAll() throws SQLException {
    reading();
    clinic.execute("insert into holdfast.inbox_consumer values ('other', 7200000)");
    assertThat(readings()).allMatch(reading -> reading.idsKept() == null);
    clinic.execute("insert into holdfast.inbox_consumer values ('billing', 3600000)");
    assertThat(readings()).extracting(Reading::idsKept).containsOnly(Duration.ofHours(2));
  }
}
