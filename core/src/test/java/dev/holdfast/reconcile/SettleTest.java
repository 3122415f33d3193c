package dev.holdfast.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** What is on its way is no drift, and what is drift is found beside it. */
final class SettleTest {
  private static final Duration SETTLE = Duration.ofMillis(50);

  /** Two stores, the second of which follows the first, and time that passes with every look. */
  private static final class World {
    private record Change(String key, Entry source, boolean deletes, long due) {}

    final Random random;
    final Map<String, Entry> source = new HashMap<>();
    final Map<String, Entry> derived = new HashMap<>();
    final Set<String> planted;
    private final Deque<Change> underWay = new ArrayDeque<>();
    private long now = 1_000_000;

    World(long seed) {
      random = new Random(seed);
      for (int i = 0; i < 500; i++) {
        Entry entry = new Entry("cold" + i, "1", Instant.ofEpochMilli(i));
        source.put(entry.key(), entry);
        derived.put(entry.key(), entry);
      }
      derived.remove("cold1");
      source.remove("cold2");
      source.put("cold3", new Entry("cold3", "2", Instant.ofEpochMilli(900)));
      planted = Set.of("cold1", "cold2", "cold3");
    }

    /** Some writes, and what has arrived of those before; nothing takes 50 ms. */
    void step() {
      now += 1 + random.nextInt(4);
      for (int i = random.nextInt(4); i > 0; i--) {
        write("hot" + random.nextInt(40));
      }
      while (!underWay.isEmpty() && underWay.element().due() <= now) {
        Change change = underWay.remove();
        if (change.deletes()) {
          derived.remove(change.key());
        } else {
          derived.put(change.key(), change.source());
        }
      }
    }

    private void write(String key) {
      Entry there = source.get(key);
      long due =
          Math.max(now + random.nextInt(30), underWay.isEmpty() ? 0 : underWay.getLast().due());
      if (there != null && random.nextInt(3) == 0) {
        source.remove(key);
        underWay.add(new Change(key, there, true, due));
      } else {
        // A row that comes back begins anew, as rows do.
        long version = there == null ? 1 : Long.parseLong(there.version()) + 1;
        Entry entry = new Entry(key, "" + version, Instant.ofEpochMilli(now));
        source.put(key, entry);
        underWay.add(new Change(key, entry, false, due));
      }
    }

    Side side(Map<String, Entry> entries, boolean knowsChanges) {
      return new ModelSide(
          Versions.NUMBERS,
          knowsChanges,
          () -> Instant.ofEpochMilli(now),
          () -> {
            step();
            return new ArrayList<>(entries.values());
          });
    }

    void pass(Duration duration) {
      for (long end = now + duration.toMillis(); now < end; ) {
        step();
      }
    }

    Reconciliation.Builder reconciliation(boolean knowsChanges) {
      for (int i = 0; i < 50; i++) {
        step();
      }
      return Reconciliation.of(side(source, knowsChanges), side(derived, knowsChanges))
          .listBelow(4)
          .settle(SETTLE)
          .wait(this::pass);
    }
  }

  @Property(tries = 100)
  void nothingThatArrivesInTimeIsDrift(@ForAll long seed, @ForAll boolean knowsChanges)
      throws InterruptedException {
    World world = new World(seed);
    Report report = world.reconciliation(knowsChanges).build().run();
    assertThat(report.samples().stream().map(Difference::key).collect(Collectors.toSet()))
        .isEqualTo(world.planted);
  }

  @Test
  void withoutTheWindowThereAreFalseAlarms() throws InterruptedException {
    long alarms = 0;
    for (int seed = 0; seed < 20; seed++) {
      World world = new World(seed);
      alarms +=
          world.reconciliation(false).settle(Duration.ZERO).build().run().differences()
              - world.planted.size();
    }
    assertThat(alarms).isGreaterThan(20);
  }

  @Test
  void withoutReadingAgainThereWouldBe() throws InterruptedException {
    long suspected = 0;
    for (int seed = 0; seed < 20; seed++) {
      World world = new World(seed);
      suspected += world.reconciliation(true).build().run().suspected() - world.planted.size();
    }
    assertThat(suspected).isGreaterThan(20);
  }

  @Test
  void theAgeOfDriftIsThatOfTheChangeOrOfTheFirstSight() throws InterruptedException {
    World world = new World(1);
    Reconciliation reconciliation = world.reconciliation(true).build();

    Report first = reconciliation.run();
    assertThat(since(first, "cold3")).isEqualTo(Instant.ofEpochMilli(900));
    assertThat(since(first, "cold2")).isEqualTo(first.at());
    assertThat(first.oldest()).contains(Instant.ofEpochMilli(1));

    world.pass(Duration.ofMinutes(1));
    Report second = reconciliation.run();
    assertThat(second.at()).isAfter(first.at());
    assertThat(since(second, "cold2")).isEqualTo(first.at());

    // What has gone in between begins anew.
    world.derived.remove("cold2");
    reconciliation.run();
    world.derived.put("cold2", new Entry("cold2", "1", Instant.ofEpochMilli(2)));
    Report third = reconciliation.run();
    assertThat(since(third, "cold2")).isEqualTo(third.at());
  }

  private static Instant since(Report report, String key) {
    return report.samples().stream()
        .filter(each -> each.key().equals(key))
        .map(Difference::since)
        .collect(Collectors.toList())
        .get(0);
  }

  @Test
  void aRowThatIsDeletedWhileItIsRepairedDoesNotComeBack() throws InterruptedException {
    World world = new World(1);
    Reconciliation reconciliation =
        world
            .reconciliation(true)
            .repair(
                differences ->
                    differences.stream()
                        .map(
                            each -> {
                              Entry source = each.source();
                              if (source == null) {
                                world.derived.remove(each.key());
                                return (Repaired) new Repaired.Done();
                              }
                              // Its delete comes to the derived side first, and finds nothing.
                              if (each.key().equals("cold1")) {
                                world.source.remove(each.key());
                              }
                              world.derived.put(each.key(), source);
                              return (Repaired) new Repaired.Done();
                            })
                        .toList())
            .build();

    Report report = reconciliation.run();

    assertThat(world.derived).doesNotContainKey("cold1").containsKey("cold2");
    assertThat(world.derived.get("cold3")).isEqualTo(world.source.get("cold3"));
    assertThat(report.repairs().done()).isEqualTo(1);
    assertThat(report.repairs().overtaken()).isEqualTo(1);
    // The extra is not deleted unless that is asked for.
    assertThat(report.left()).isEqualTo(2);
    assertThat(reconciliation.run().samples()).extracting(Difference::key).containsExactly("cold2");
  }

  /** Whichever is read first is read before a change that both have by then. */
  @Test
  void aChangeBetweenTheTwoReadingsIsNoDrift() throws InterruptedException {
    List<Entry> source = new ArrayList<>(List.of(new Entry("a", "1", null)));
    List<Entry> derived = new ArrayList<>();
    boolean[] again = {false};
    Reconciliation reconciliation =
        Reconciliation.of(
                ModelSide.of(source).before(entries -> change(again, source, derived)),
                ModelSide.of(derived).before(entries -> change(again, source, derived)))
            .settle(SETTLE)
            .wait(
                any -> {
                  again[0] = true;
                  derived.add(new Entry("a", "1", null));
                })
            .build();

    Report report = reconciliation.run();

    assertThat(report.suspected()).isEqualTo(1);
    assertThat(report.differences()).isZero();
    assertThat(report.unsettled()).isEqualTo(1);
    assertThat(source).isEqualTo(derived).containsExactly(new Entry("a", "2", null));
  }

  /** Behind the first reading of the second look: before the reading that comes next. */
  private static void change(boolean[] again, List<Entry> source, List<Entry> derived) {
    if (again[0]) {
      again[0] = false;
      return;
    }
    if (!derived.isEmpty()) {
      source.set(0, new Entry("a", "2", null));
      derived.set(0, new Entry("a", "2", null));
    }
  }

  @Test
  void repairsAreBounded() throws InterruptedException {
    List<Integer> batches = new ArrayList<>();
    List<Entry> source = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      source.add(new Entry("k" + i, "1", null));
    }
    Report report =
        Reconciliation.of(ModelSide.of(source), ModelSide.of(List.of()))
            .settle(Duration.ZERO)
            .repairsAtMost(450)
            .repair(
                differences -> {
                  batches.add(differences.size());
                  return differences.stream()
                      .map(each -> (Repaired) new Repaired.Refused("no"))
                      .toList();
                })
            .build()
            .run();
    assertThat(batches).containsExactly(200, 200, 50);
    assertThat(report.repairs().refused()).isEqualTo(450);
    assertThat(report.repairs().reasons()).hasSize(20);
    assertThat(report.left()).isEqualTo(1_000);
  }
}
