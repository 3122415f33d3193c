package dev.holdfast.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** The figures are PostgreSQL's: see the SQL in {@link Hashes}. */
final class HashesTest {
  @Test
  void theyAreThoseOfMd5() {
    // md5('') is d41d8cd98f00b204e9800998ecf8427e.
    assertThat(Hashes.point("")).isEqualTo(0xd41d8cd98f00L);
    assertThat(Hashes.point("a")).isEqualTo(0x0cc175b9c0f1L);
    assertThat(HashRange.ALL.contains(Hashes.point("ä€😀"))).isTrue();
  }

  @Test
  void whereTheKeyEndsIsPartOfTheFingerprint() {
    assertThat(Hashes.fingerprint("a", "1")).isNotEqualTo(Hashes.fingerprint("a1", ""));
    assertThat(Hashes.fingerprint("a", "1")).isNotEqualTo(Hashes.fingerprint("a", "2"));
  }

  @Test
  void whatIsThereTwiceCountsTwice() {
    long a = Hashes.fingerprint("a", "1");
    long b = Hashes.fingerprint("b", "1");

    assertThat(Summary.NONE.with(a).with(a)).isNotEqualTo(Summary.NONE.with(b).with(b));
  }
}
