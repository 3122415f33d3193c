package dev.holdfast.crashtest;

import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What is right is found right, however often it is tried. */
@Tag("long")
final class NoFalseAccusationTest {
  private static final int TIMES = 20;

  @RepeatedTest(TIMES)
  void onADatabase() {
    run(
        new FencedJdbcTest(),
        FencedJdbcTest::tables,
        FencedJdbcTest::oneCommitIsWholeWhereverItCrashes,
        FencedJdbcTest::anIdempotentRetryIsNot);
    run(
        new SecondFaultTest(),
        SecondFaultTest::tables,
        SecondFaultTest::aCarefulRecoveryStandsIt,
        SecondFaultTest::pairsCrashTheRetryToo);
    run(
        new LostAckTest(),
        LostAckTest::table,
        LostAckTest::anUnknownOutcomeThatIsToldAsSuchIsRight);
  }

  @RepeatedTest(TIMES)
  void withKafka() {
    run(
        new FencedKafkaTest(),
        FencedKafkaTest::resources,
        FencedKafkaTest::whatIsWaitedForIsNotBelievedBefore,
        FencedKafkaTest::aTransactionIsOneCommitPoint,
        FencedKafkaTest::aConsumerThatAbsorbsRepeatsDoesNot,
        FencedKafkaTest::theLostAnswerToACommitOfOffsetsIsAbsorbed);
    run(
        new LostAckTest(),
        LostAckTest::table,
        LostAckTest::kafkasProducerAsksAgainByItselfAndTheReportSaysSo,
        LostAckTest::theLostAnswerToATransactionsCommitIsAbsorbed);
  }

  /** The control: what is wrong is found, however often it is tried. */
  @Test
  void whatIsWrongIsStillFound() {
    for (int i = 0; i < TIMES; i++) {
      run(
          new FencedJdbcTest(),
          FencedJdbcTest::tables,
          FencedJdbcTest::twoCommitsLoseTheSecondEffectAndTheReportNamesBothLines);
    }
  }

  /** A test of a suite, by hand. */
  private interface Case<T> {
    void run(T suite);
  }

  @SafeVarargs
  private static <T> void run(T suite, Case<T> prepare, Case<T>... cases) {
    for (Case<T> each : cases) {
      prepare.run(suite);
      each.run(suite);
    }
  }
}
