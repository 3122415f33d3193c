package dev.holdfast.internal.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.internal.workflow.CallProtocol.Event;
import dev.holdfast.internal.workflow.CallProtocol.Next;
import dev.holdfast.internal.workflow.CallProtocol.Situation;
import dev.holdfast.workflow.Retry;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** What is made of a call's outcome, for everything that a step can declare. */
final class CallProtocolTest {
  private static final Retry TWICE = Retry.times(2);
  private static final Policy PLAIN = Policy.OF_A_CALL.withRetry(TWICE);
  private static final Policy KEYED = PLAIN.withKeyKeptFor(Duration.ofDays(1));
  private static final Policy LOOKED = PLAIN.withSettleAfter(Duration.ofMinutes(1));
  private static final Situation FIRST = new Situation(1, false, true);

  private static List<Policy> policies() {
    List<Policy> all = new ArrayList<>();
    for (Policy base : List.of(PLAIN, KEYED, LOOKED, LOOKED.withKeyKeptFor(Duration.ofDays(1)))) {
      for (Policy each : List.of(base, base.withCompensation())) {
        all.add(each);
        all.add(each.withParking());
      }
    }
    return all;
  }

  private static List<Situation> situations() {
    List<Situation> all = new ArrayList<>();
    for (int attempts = 1; attempts <= 3; attempts++) {
      for (boolean settled : List.of(true, false)) {
        for (boolean kept : List.of(true, false)) {
          all.add(new Situation(attempts, settled, kept));
        }
      }
    }
    return all;
  }

  private interface Check {
    void of(Policy policy, Event event, Situation situation, Next next);
  }

  private static void everywhere(Check check) {
    for (Policy policy : policies()) {
      for (Event event : Event.values()) {
        for (Situation situation : situations()) {
          check.of(policy, event, situation, CallProtocol.decide(policy, event, situation));
        }
      }
    }
  }

  @Test
  void whatIsNotKnownIsNeverTakenForANo() {
    Set<Event> open = EnumSet.of(Event.LOST, Event.NO_ANSWER);
    everywhere(
        (policy, event, situation, next) -> {
          if (open.contains(event) || (event == Event.NOT_SEEN && !situation.settled())) {
            assertThat(next).as("%s %s %s", policy, event, situation).isNotEqualTo(Next.REJECTED);
          }
        });
  }

  @Test
  void whatIsNotKnownIsOnlyRepeatedUnderAKeyThatIsKept() {
    everywhere(
        (policy, event, situation, next) -> {
          boolean isANo =
              event == Event.WILL_NOT_HAPPEN || (event == Event.NOT_SEEN && situation.settled());
          if (next == Next.CALL && !isANo) {
            assertThat(policy.keyKeptFor()).as("%s %s", policy, event).isNotNull();
            assertThat(situation.keyKept()).isTrue();
          }
        });
  }

  @Test
  void nothingIsAttemptedBeyondWhatIsAllowed() {
    everywhere(
        (policy, event, situation, next) -> {
          if (situation.attempts() >= TWICE.attempts()) {
            assertThat(next).as("%s %s %s", policy, event, situation).isNotEqualTo(Next.CALL);
          }
        });
  }

  @Test
  void onlyWhatCanBeUndoneIsGivenUp() {
    everywhere(
        (policy, event, situation, next) -> {
          if (next == Next.UNKNOWN) {
            assertThat(policy.compensates()).isTrue();
            assertThat(policy.parksUnknown()).isFalse();
          }
          if (next == Next.ASK) {
            assertThat(policy.hasLookup() || event != Event.LOST).isTrue();
          }
        });
  }

  @Test
  void eachDeclarationHasItsOwnAnswerToALostCall() {
    assertThat(CallProtocol.decide(LOOKED, Event.LOST, FIRST)).isEqualTo(Next.ASK);
    assertThat(CallProtocol.decide(KEYED, Event.LOST, FIRST)).isEqualTo(Next.CALL);
    assertThat(CallProtocol.decide(PLAIN.withCompensation(), Event.LOST, FIRST))
        .isEqualTo(Next.UNKNOWN);
    assertThat(CallProtocol.decide(PLAIN.withParking(), Event.LOST, FIRST)).isEqualTo(Next.STICK);
    assertThat(CallProtocol.decide(KEYED, Event.LOST, new Situation(1, false, false)))
        .isEqualTo(Next.STICK);
    assertThat(CallProtocol.decide(LOOKED, Event.NOT_SEEN, FIRST)).isEqualTo(Next.ASK);
    assertThat(CallProtocol.decide(LOOKED, Event.NOT_SEEN, new Situation(1, true, false)))
        .isEqualTo(Next.CALL);
    assertThat(CallProtocol.decide(LOOKED, Event.NOT_SEEN, new Situation(2, true, false)))
        .isEqualTo(Next.REJECTED);
  }
}
