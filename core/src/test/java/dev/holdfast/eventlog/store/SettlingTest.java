package dev.holdfast.eventlog.store;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.eventlog.CheckpointAhead;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is settled by which marks. */
final class SettlingTest {
  private static final Set<String> NOBODY = Set.of();

  private final Settling settling = new Settling(10);

  private static Mark mark(long last, Set<String> sessions, Set<String> prepared) {
    return new Mark(last, sessions, prepared);
  }

  @Test
  void whereNobodyHoldsTheLockTheMarkIsSettled() {
    assertThat(settling.look(mark(20, NOBODY, NOBODY))).isTrue();
    assertThat(settling.settled()).isEqualTo(20);
    assertThat(settling.look(mark(20, NOBODY, NOBODY))).as("to be flushed again").isFalse();
  }

  @Test
  void holdersAreWaitedForAndThoseWhoComeLaterAreNot() {
    settling.look(mark(20, Set.of("a", "b"), NOBODY));
    assertThat(settling.isWaiting()).isTrue();
    settling.look(mark(25, Set.of("b", "c"), NOBODY));
    assertThat(settling.settled()).isEqualTo(10);
    settling.look(mark(30, Set.of("c", "d"), NOBODY));
    assertThat(settling.settled()).isEqualTo(20);
    settling.look(mark(35, Set.of("e"), NOBODY));
    assertThat(settling.settled()).isEqualTo(30);
  }

  @Test
  void aHolderThatIsPreparedIsWaitedForUnderItsNewName() {
    settling.look(mark(20, Set.of("a"), NOBODY));
    settling.look(mark(20, NOBODY, Set.of("-1/7")));
    settling.look(mark(22, Set.of("b"), Set.of("-1/7")));
    assertThat(settling.settled()).isEqualTo(10);
    settling.look(mark(22, Set.of("b"), NOBODY));
    assertThat(settling.settled()).isEqualTo(20);
  }

  @Test
  void aStreamOfPreparedTransactionsDoesNotHoldTheMarkForEver() {
    settling.look(mark(20, Set.of("a"), Set.of("-1/1")));
    settling.look(mark(21, Set.of("a"), Set.of("-1/2")));
    // It may be the third, which nobody has seen before.
    settling.look(mark(22, NOBODY, Set.of("-1/2", "-1/3")));
    assertThat(settling.settled()).isEqualTo(10);
    settling.look(mark(23, NOBODY, Set.of("-1/2", "-1/4")));
    assertThat(settling.settled()).isEqualTo(20);
  }

  @Test
  void aLogThatHasGoneBackIsNotReadOn() {
    assertThatThrownBy(() -> new Reading(10).look(mark(9, NOBODY, NOBODY)))
        .isInstanceOf(CheckpointAhead.class)
        .hasMessageContainingAll("position 10", "to 9", "Nothing was read");
  }

  @Test
  void whatWentWrongIsNotBelieved() {
    Reading reading = new Reading(10);
    reading.look(mark(20, NOBODY, NOBODY));
    reading.read(15);
    reading.forget();
    assertThat(reading.checkpoint()).isEqualTo(15);
    assertThat(reading.settled()).isEqualTo(15);
    assertThat(reading.isEven()).isTrue();
  }

  /** Of a history at random: what is settled is what nobody can commit any more. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void nothingIsSettledThatSomebodyMayStillCommit(long seed) {
    Random random = new Random(seed);
    Settling reader = new Settling(0);
    Map<String, List<Long>> open = new HashMap<>();
    long last = 0;
    int names = 0;
    long moved = 0;
    for (int step = 0; step < 20_000; step++) {
      List<String> holders = new ArrayList<>(open.keySet());
      String one = holders.isEmpty() ? "" : holders.get(random.nextInt(holders.size()));
      int what = random.nextInt(10);
      if (what < 3 && open.size() < 6) {
        open.put("s" + names++, new ArrayList<>());
      } else if (what < 6 && one.startsWith("s")) {
        open.computeIfAbsent(one, name -> new ArrayList<>()).add(++last);
      } else if (what == 6 && one.startsWith("s")) {
        List<Long> drawn = open.remove(one);
        open.put("-1/" + names++, drawn == null ? List.of() : drawn);
      } else if (what < 9) {
        open.remove(one);
      } else {
        Set<String> sessions = new HashSet<>(open.keySet());
        sessions.removeIf(name -> name.startsWith("-"));
        Set<String> prepared = new HashSet<>(open.keySet());
        prepared.removeAll(sessions);
        long before = reader.settled();
        reader.look(mark(last, sessions, prepared));
        moved += reader.settled() > before ? 1 : 0;
      }
      for (List<Long> drawn : open.values()) {
        assertThat(drawn).as("seed %d, step %d", seed, step).noneMatch(p -> p <= reader.settled());
      }
    }
    assertThat(moved).as("looks that settled something").isGreaterThan(200);
  }
}
