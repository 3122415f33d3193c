package dev.holdfast.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.Expect.Counted;
import dev.holdfast.crashtest.OutboxConformance;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.Finding;
import dev.holdfast.crashtest.report.RunReport;
import dev.holdfast.crashtest.report.Verdict;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Without Kafka transactions everything comes, and in order, to whoever tells repeats apart by the
 * message's id.
 */
@Tag("long")
final class PlainKafkaOutboxConformanceTest extends KafkaOutbox {
  PlainKafkaOutboxConformanceTest() {
    super(true);
  }

  @Override
  protected Counted delivered() {
    return super.delivered().distinct();
  }

  @Override
  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks({"outbox.delivery.repeats", "outbox.delivery.none-lost"})
  public void aRowAndItsMessage(CrashLab lab) {
    super.aRowAndItsMessage(lab);
  }

  @Test
  void whoeverDoesNotTellRepeatsApartFindsThem() {
    KafkaOutbox takenLiterally = new KafkaOutbox(true) {};
    RunReport failure =
        Objects.requireNonNull(
            takenLiterally.firstFailure(
                OutboxConformance::aRowAndItsMessage, CrashLab.Options.defaults()));
    assertThat(failure.findings()).extracting(Finding::verdict).contains(Verdict.DUPLICATE);
    assertThat(idsOfEachMessage(takenLiterally.topic()))
        .anySatisfy((message, ids) -> assertThat(ids).hasSizeGreaterThan(1))
        .allSatisfy((message, ids) -> assertThat(Set.copyOf(ids)).hasSize(1));
  }

  private static Map<String, List<String>> idsOfEachMessage(String topic) {
    try (CommittedReader reader = new CommittedReader(TestServers.KAFKA.bootstrapServers())) {
      return reader.read(topic).stream()
          .collect(
              Collectors.groupingBy(
                  record -> record.key() + " " + record.value(),
                  Collectors.mapping(
                      record ->
                          new String(
                              record.headers().lastHeader("ce_id").value(), StandardCharsets.UTF_8),
                      Collectors.toList())));
    }
  }
}
