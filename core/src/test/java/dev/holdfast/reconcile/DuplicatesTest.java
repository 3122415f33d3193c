package dev.holdfast.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Rows that are there twice are why fingerprints are summed. */
final class DuplicatesTest {
  private static final Entry A = new Entry("a", "1", null);
  private static final Entry B = new Entry("b", "1", null);

  /** A side that would XOR. */
  private record Xored(Side side) implements Side {
    @Override
    public String description() {
      return side.description();
    }

    @Override
    public Versions versions() {
      return side.versions();
    }

    @Override
    public boolean knowsChanges() {
      return side.knowsChanges();
    }

    @Override
    public SideSession open() {
      SideSession session = side.open();
      return new SideSession() {
        @Override
        public Instant now() {
          return session.now();
        }

        @Override
        public List<Summary> summarize(
            List<HashRange> ranges, int parts, @Nullable Instant changedBefore) {
          List<Summary> result = new ArrayList<>();
          for (HashRange range : ranges) {
            for (HashRange part : range.split(parts)) {
              long xor = 0;
              List<Entry> entries = session.list(List.of(part), changedBefore, 1_000);
              for (Entry entry : entries) {
                xor ^= Hashes.fingerprint(entry.key(), entry.version());
              }
              result.add(new Summary(entries.size(), xor));
            }
          }
          return result;
        }

        @Override
        public List<Entry> list(
            List<HashRange> ranges, @Nullable Instant changedBefore, int atMost) {
          return session.list(ranges, changedBefore, atMost);
        }

        @Override
        public List<Entry> read(List<String> keys) {
          return session.read(keys);
        }

        @Override
        public void close() {
          session.close();
        }
      };
    }
  }

  private static Report compare(Side source, Side derived) throws InterruptedException {
    return Reconciliation.of(source, derived).settle(Duration.ZERO).build().run();
  }

  /** Two keys whose points are in one part of all, so that they are summed together. */
  private static Entry neighbourOf(Entry entry) {
    for (int i = 0; ; i++) {
      Entry candidate = new Entry("n" + i, "1", null);
      if (Hashes.point(candidate.key()) >>> 42 == Hashes.point(entry.key()) >>> 42) {
        return candidate;
      }
    }
  }

  @Test
  void pairsThatXorWouldCancelAreFound() throws InterruptedException {
    Entry other = neighbourOf(A);
    Side source = ModelSide.of(List.of(A, A, B));
    Side derived = ModelSide.of(List.of(other, other, B));

    Report report = compare(source, derived);

    assertThat(report.count(Drift.DUPLICATE)).isEqualTo(2);
    assertThat(report.differences()).isEqualTo(2);
    assertThat(compare(new Xored(source), new Xored(derived)).differences()).isZero();
  }

  @Test
  void whatIsThereTwiceInBothIsNoDifference() throws InterruptedException {
    assertThat(compare(ModelSide.of(List.of(A, A)), ModelSide.of(List.of(A, A))).suspected())
        .isZero();
  }

  @Test
  void aKeyThatIsThereTooOftenEndsTheRun() {
    List<Entry> many = new ArrayList<>();
    for (int i = 0; i < 30_000; i++) {
      many.add(A);
    }
    assertThat(
            org.assertj.core.api.Assertions.catchThrowable(
                () -> compare(ModelSide.of(many), ModelSide.of(List.of()))))
        .isInstanceOf(dev.holdfast.HoldfastException.class)
        .hasMessageContaining("rows or more of one key");
  }
}
