package dev.holdfast.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.outbox.RelayPhase.Event;
import dev.holdfast.outbox.RelayPhase.Transition;
import java.util.EnumSet;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

final class RelayPhaseTest {

  @Test
  void eachRowOfTheTableIsWhatAfterAnswers() {
    for (Transition row : RelayPhase.TABLE) {
      assertThat(row.from().after(row.event())).as(row.toString()).contains(row.to());
    }
  }

  @Test
  void noPhaseHasTwoRowsForOneEvent() {
    Set<String> seen = new HashSet<>();
    for (Transition row : RelayPhase.TABLE) {
      assertThat(seen.add(row.from() + " " + row.event())).as(row.toString()).isTrue();
    }
  }

  @Test
  void whatTheTableDoesNotNameIsNoTransition() {
    for (RelayPhase phase : RelayPhase.values()) {
      for (Event event : Event.values()) {
        boolean named =
            event == Event.CLOSE
                || RelayPhase.TABLE.stream()
                    .anyMatch(row -> row.from() == phase && row.event() == event);
        assertThat(phase.after(event).isPresent()).as(phase + " " + event).isEqualTo(named);
      }
    }
  }

  @ParameterizedTest
  @EnumSource(RelayPhase.class)
  void everyPhaseCanBeClosedAndEveryOtherIsReached(RelayPhase phase) {
    assertThat(phase.after(Event.CLOSE)).contains(RelayPhase.CLOSED);
    assertThat(reachable()).contains(phase);
  }

  @Test
  void everyPhaseThatIsNotClosedLeadsBackToDelivering() {
    for (RelayPhase phase : EnumSet.complementOf(EnumSet.of(RelayPhase.CLOSED))) {
      assertThat(reachableFrom(phase)).as("from " + phase).contains(RelayPhase.LEADING);
    }
  }

  @Test
  void theDatabaseMayBecomeUnreachableInEveryPhaseThatAsksIt() {
    for (RelayPhase phase :
        EnumSet.complementOf(EnumSet.of(RelayPhase.CLOSED, RelayPhase.BLOCKED))) {
      assertThat(phase.after(Event.UNREACHABLE)).as("in " + phase).contains(RelayPhase.BLOCKED);
    }
  }

  private static Set<RelayPhase> reachable() {
    return reachableFrom(RelayPhase.STANDBY);
  }

  private static Set<RelayPhase> reachableFrom(RelayPhase start) {
    Set<RelayPhase> reached = EnumSet.of(start);
    boolean grown = true;
    while (grown) {
      grown = false;
      for (RelayPhase phase : EnumSet.copyOf(reached)) {
        for (Event event : Event.values()) {
          RelayPhase next = phase.after(event).orElse(phase);
          grown |= reached.add(next);
        }
      }
    }
    return reached;
  }
}
