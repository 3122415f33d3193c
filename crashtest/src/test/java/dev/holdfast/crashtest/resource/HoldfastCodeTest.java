package dev.holdfast.crashtest.resource;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Holdfast;
import dev.holdfast.outbox.Relay;
import dev.holdfast.outbox.TestInPackageOfHoldfast;
import dev.holdfast.outbox.store.Store;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class HoldfastCodeTest {
  @ParameterizedTest
  @ValueSource(classes = {Holdfast.class, Relay.class, Store.class})
  void holdfastIsNoUserCode(Class<?> type) {
    assertThat(HoldfastCode.is(type)).isTrue();
  }

  @ParameterizedTest
  @ValueSource(classes = {String.class, HoldfastCodeTest.class, TestInPackageOfHoldfast.class})
  void whatElseThereIsAndItsTestsAre(Class<?> type) {
    assertThat(HoldfastCode.is(type)).isFalse();
  }
}
