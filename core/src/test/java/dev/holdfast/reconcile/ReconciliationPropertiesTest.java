package dev.holdfast.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Whatever the two have, what is found is what differs. */
final class ReconciliationPropertiesTest {
  private static final List<Drift> DRIFTS = List.of(Drift.values());

  @Property(tries = 150)
  void exactlyWhatWasPlantedIsFound(
      @ForAll long seed,
      @ForAll @IntRange(min = 0, max = 4_000) int rows,
      @ForAll @IntRange(min = 0, max = 60) int planted,
      @ForAll @IntRange(min = 1, max = 100) int listBelow)
      throws InterruptedException {
    Random random = new Random(seed);
    List<Entry> source = new ArrayList<>();
    List<Entry> derived = new ArrayList<>();
    Map<String, Drift> expected = new HashMap<>();
    for (int i = 0; i < rows; i++) {
      String key = "k" + i;
      Entry entry = new Entry(key, "" + (1 + random.nextInt(9)), null);
      if (random.nextInt(rows) < planted) {
        Drift drift = DRIFTS.get(random.nextInt(DRIFTS.size()));
        expected.put(key, drift);
        plant(drift, entry, source, derived, random);
      } else {
        source.add(entry);
        derived.add(entry);
      }
    }

    Report report =
        Reconciliation.of(ModelSide.of(source), ModelSide.of(derived))
            .settle(Duration.ZERO)
            .listBelow(listBelow)
            .samplesAtMost(10_000)
            .build()
            .run();

    Map<String, Drift> found = new HashMap<>();
    report.samples().forEach(each -> found.put(each.key(), each.drift()));
    assertThat(found).isEqualTo(expected);
    assertThat(report.differences()).isEqualTo(expected.size());
    assertThat(report.left()).isEqualTo(expected.size());
    assertThat(report.complete()).isTrue();
    assertThat(report.repairs().dryRun()).isTrue();
  }

  private static void plant(
      Drift drift, Entry entry, List<Entry> source, List<Entry> derived, Random random) {
    Entry later = new Entry(entry.key(), entry.version() + "0", null);
    switch (drift) {
      case MISSING -> source.add(entry);
      case EXTRA -> derived.add(entry);
      case STALE -> {
        source.add(later);
        derived.add(entry);
      }
      case NEWER -> {
        source.add(entry);
        derived.add(later);
      }
      case DUPLICATE -> {
        source.add(entry);
        derived.add(entry);
        (random.nextBoolean() ? source : derived).add(random.nextBoolean() ? entry : later);
      }
    }
  }

  @Property(tries = 50)
  void ofMoreThanItLooksForItSaysThatThereAreMore(
      @ForAll @IntRange(min = 1, max = 3_000) int rows,
      @ForAll @IntRange(min = 1, max = 3_000) int atMost)
      throws InterruptedException {
    List<Entry> source = new ArrayList<>();
    for (int i = 0; i < rows; i++) {
      source.add(new Entry("k" + i, "1", null));
    }

    Report report =
        Reconciliation.of(ModelSide.of(source), ModelSide.of(List.of()))
            .settle(Duration.ZERO)
            .differencesAtMost(atMost)
            .samplesAtMost(10)
            .build()
            .run();

    assertThat(report.count(Drift.MISSING)).isEqualTo(Math.min(rows, atMost));
    assertThat(report.samples()).hasSize(Math.min(10, Math.min(rows, atMost)));
    if (rows > atMost) {
      assertThat(report.complete()).isFalse();
    }
    if (rows < atMost) {
      assertThat(report.complete()).isTrue();
    }
  }
}
