package dev.holdfast.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.twophase.store.Gid;
import java.util.UUID;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.LongRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class GidTest {

  @Property
  void readsBackWhatItWrote(
      @ForAll long most,
      @ForAll long least,
      @ForAll @LongRange(min = 1) long serial,
      @ForAll long nonce) {
    Gid named = new Gid(new UUID(most, least), serial, nonce, "a-name_of_30_characters_atmost");

    assertThat(Gid.parse(named.text())).contains(named);
    assertThat(named.text()).startsWith(Gid.prefix(named.storeId()));
    // What MariaDB takes as the global part of an XA id, and PostgreSQL as a whole.
    assertThat(named.global().length()).isLessThanOrEqualTo(64);
    assertThat(named.text().length()).isLessThan(200);
    assertThat(named.text()).matches("[A-Za-z0-9:_-]+");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "theirs",
        "hf:AAAAAAAAAAAAAAAAAAAAAA:0:0000000000000000:ledger",
        "hf:AAAAAAAAAAAAAAAAAAAAAA:ffffffffffffffff:0000000000000000:ledger",
        "hf:AAAAAAAAAAAAAAAAAAAAAA:1:0000000000000000:",
        "hf:AAAAAAAAAAAAAAAAAAAAAA:1:000000000000000:ledger",
        "hf:AAAAAAAAAAAAAAAAAAAAA:1:0000000000000000:ledger",
        "hf:AAAAAAAAAAAAAAAAAAAAAA:G:0000000000000000:ledger",
        "hf:AAAAAAAAAAAAAAAAAAAAAA:1:0000000000000000:Ledger",
        "hf:AAAAAAAAAAAAAAAAAAAAAA:1:0000000000000000:ledger'"
      })
  void takesNothingElseForItsOwn(String text) {
    assertThat(Gid.parse(text)).isEmpty();
  }

  @Test
  void twoStoresHaveDifferentPrefixes() {
    assertThat(Gid.prefix(new UUID(0, 1))).isNotEqualTo(Gid.prefix(new UUID(0, 2)));
  }
}
