package dev.holdfast.kafka;

import dev.holdfast.crashtest.CrashLab;
import dev.holdfast.crashtest.CrashTest;
import dev.holdfast.crashtest.report.Carrier;
import org.junit.jupiter.api.Tag;

/** The outbox from PostgreSQL to Kafka keeps its promises at every commit point. */
final class KafkaOutboxConformanceTest extends KafkaOutbox {

  // What takes a third of the suite's time, and is attacked in the default set by tests of the
  // store.
  @Override
  @Tag("long")
  @CrashTest
  public void aDelayedMessage(CrashLab lab) {
    super.aDelayedMessage(lab);
  }

  @Override
  @Tag("long")
  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  public void aDedupeKeyUsedTwice(CrashLab lab) {
    super.aDedupeKeyUsedTwice(lab);
  }
}
