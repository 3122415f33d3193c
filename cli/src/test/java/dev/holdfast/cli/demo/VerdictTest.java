package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class VerdictTest {
  private static final List<Verdict.Order> ORDERS =
      List.of(
          new Verdict.Order("a1", "a", 1),
          new Verdict.Order("a2", "a", 2),
          new Verdict.Order("a3", "a", 3),
          new Verdict.Order("b1", "b", 1));

  @Test
  void everyOrderOnceAndInOrderIsClean() {
    Verdict verdict = Verdict.of(4, ORDERS, List.of("b1", "a1", "a2", "a3"));

    assertThat(verdict).isEqualTo(new Verdict(4, 0, 0, 0, 0));
    assertThat(verdict.isClean()).isTrue();
  }

  @Test
  void orderWithoutRecordIsLost() {
    assertThat(Verdict.of(4, ORDERS, List.of("a1", "a3"))).isEqualTo(new Verdict(4, 2, 0, 0, 0));
  }

  @Test
  void recordWithoutOrderIsPhantomOnceAndThenDuplicate() {
    assertThat(Verdict.of(4, ORDERS, List.of("a1", "x", "a2", "x", "a3", "b1")))
        .isEqualTo(new Verdict(4, 0, 1, 1, 0));
  }

  @Test
  void everyRecordBeyondTheFirstIsDuplicate() {
    assertThat(Verdict.of(4, ORDERS, List.of("a1", "a2", "a1", "a3", "a1", "b1")))
        .isEqualTo(new Verdict(4, 0, 0, 2, 0));
  }

  @Test
  void onlyFirstRecordsCountForOrder() {
    assertThat(Verdict.of(4, ORDERS, List.of("a2", "a1", "a3", "b1")))
        .isEqualTo(new Verdict(4, 0, 0, 0, 1));
    assertThat(Verdict.of(4, ORDERS, List.of("a3", "a1", "b1", "a2")))
        .isEqualTo(new Verdict(4, 0, 0, 0, 2));
  }

  @Test
  void nothingAtAllIsCleanAndEmpty() {
    assertThat(Verdict.of(0, List.of(), List.of())).isEqualTo(new Verdict(0, 0, 0, 0, 0));
  }
}
