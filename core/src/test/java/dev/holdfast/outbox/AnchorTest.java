package dev.holdfast.outbox;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.outbox.store.ChannelStore;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.StoreIdentity;
import java.util.UUID;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Where a new leader goes on, case by case. */
final class AnchorTest {
  private static final UUID STORE = new UUID(1, 1);
  private static final StoreIdentity HERE = new StoreIdentity(STORE, "sys", 3, 2);
  private static final long EPOCH = 10;
  private static final long COPIES = 5;
  private static final Cursor COPY = Cursor.at("100:100:");
  private static final Cursor SEEN = Cursor.at("200:200:");

  private static ChannelStore.Progress copy(@Nullable String record, int era, String system) {
    return new ChannelStore.Progress(COPY, record, era, system, COPIES);
  }

  private static Anchor decide(@Nullable ProgressRecord seen, Predicate<Cursor> future) {
    return Anchor.decide(HERE, EPOCH, copy("r", 2, "sys"), seen, future);
  }

  /** What the target's record says, and what follows from it. */
  @ParameterizedTest
  @CsvSource({
    // store, system, timeline, era, claim, copies, future -> anchor, in its words
    "1, sys,   3, 2,  9, 5, false, FromTarget,   -",
    "2, sys,   3, 2,  9, 5, false, Stop,         another store",
    "1, sys,   3, 3,  9, 5, false, Stop,         clone",
    "1, sys,   3, 2, 10, 5, false, Stop,         clone",
    "1, sys,   3, 2, 11, 5, false, Stop,         clone",
    "1, other, 3, 2,  9, 5, false, Stop,         dump or cloned",
    "1, sys,   4, 2,  9, 5, false, Stop,         promoted standby",
    "1, sys,   2, 2,  9, 5, false, FromDatabase, delivered again",
    "1, sys,   3, 2,  9, 4, false, FromTarget,   -",
    "1, sys,   3, 2,  9, 6, false, Stop,         ahead of this database",
    "1, sys,   3, 2,  9, 5, true,  Stop,         ahead of this database",
    // An older era: an operator has decided for the database's copy, whatever else differs.
    "1, sys,   3, 1,  9, 5, false, FromDatabase, -",
    "1, other, 4, 1, 99, 5, false, FromDatabase, -",
    // ... except that this is another store's target.
    "2, sys,   3, 1,  9, 5, false, Stop,         another store",
  })
  void theTargetsRecordIsBelievedOnlyInItsOwnHistory(
      long store,
      String system,
      long timeline,
      int era,
      long claim,
      long copies,
      boolean future,
      String anchor,
      String words) {
    ProgressRecord seen =
        new ProgressRecord(
            new StoreIdentity(new UUID(1, store), system, timeline, era), claim, copies, SEEN);
    Anchor decided = decide(seen, cursor -> future && cursor.equals(SEEN));
    assertThat(decided.getClass().getSimpleName()).isEqualTo(anchor);
    switch (decided.getClass().getSimpleName()) {
      case "Stop" ->
          assertThat(((Anchor.Stop) decided).reason())
              .contains(words)
              .contains("Nothing was delivered");
      case "FromDatabase" -> {
        assertThat(((Anchor.FromDatabase) decided).cursor()).isEqualTo(COPY);
        if (words.equals("-")) {
          assertThat(((Anchor.FromDatabase) decided).warning()).isNull();
        } else {
          assertThat(((Anchor.FromDatabase) decided).warning()).contains(words);
        }
      }
      default -> assertThat(((Anchor.FromTarget) decided).cursor()).isEqualTo(SEEN);
    }
  }

  @Test
  void aNewChannelBeginsFromTheDatabaseWithoutAWarning() {
    assertThat(Anchor.decide(HERE, 1, copy(null, 2, "sys"), null, cursor -> false))
        .isEqualTo(new Anchor.FromDatabase(COPY, null));
  }

  @Test
  void aTargetThatLostItsRecordIsGoneOnFromTheDatabaseWithAWarning() {
    assertThat(decide(null, cursor -> false))
        .isInstanceOfSatisfying(
            Anchor.FromDatabase.class,
            anchor -> assertThat(anchor.warning()).contains("lost its progress record"));
  }

  @Test
  void afterAReanchorAMissingRecordIsNoSurprise() {
    assertThat(Anchor.decide(HERE, EPOCH, copy("r", 1, "sys"), null, cursor -> false))
        .isEqualTo(new Anchor.FromDatabase(COPY, null));
  }

  @Test
  void aRestoredDumpIsNotTrustedWithItsOwnCopyEither() {
    assertThat(Anchor.decide(HERE, EPOCH, copy("r", 2, "other"), null, cursor -> false))
        .isInstanceOfSatisfying(
            Anchor.Stop.class, stop -> assertThat(stop.reason()).contains("--from-beginning"));
    assertThat(decide(null, cursor -> cursor.equals(COPY)))
        .isInstanceOfSatisfying(
            Anchor.Stop.class, stop -> assertThat(stop.reason()).contains("--from-beginning"));
  }

  @Test
  void aRecordSurvivesItsEncoding() {
    Cursor inside = new Cursor("5:9:6,7", "12:15:12", 77, 70);
    ProgressRecord record = new ProgressRecord(HERE, 4, COPIES, inside);
    assertThat(ProgressRecord.decode(record.encode())).isEqualTo(record);
    ProgressRecord between = new ProgressRecord(HERE, 4, COPIES, COPY);
    assertThat(ProgressRecord.decode(between.encode())).isEqualTo(between);
  }
}
