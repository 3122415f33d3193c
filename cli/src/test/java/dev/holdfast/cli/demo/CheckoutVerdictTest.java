package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.cli.demo.CheckoutVerdict.Books;
import dev.holdfast.cli.demo.CheckoutVerdict.Taken;
import dev.holdfast.cli.demo.Checkouts.State;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CheckoutVerdictTest {
  /** Of article 0 it has one unit, and of the next one two. */
  private static final Taken FIRST = new Taken("order-0", "article-0", 1);

  private static final Taken SECOND = new Taken("order-1", "article-1", 2);

  private static CheckoutVerdict verdict(
      Map<String, State> orders,
      List<String> charged,
      List<Taken> taken,
      Map<String, Long> missing) {
    return CheckoutVerdict.of(new Books(orders, charged, taken, missing));
  }

  @Test
  void confirmedAndPaidOrCancelledAndFreeIsClean() {
    CheckoutVerdict verdict =
        verdict(
            Map.of("order-0", State.CONFIRMED, "order-1", State.CANCELLED),
            List.of("order-0"),
            List.of(FIRST),
            Map.of("article-0", 1L, "article-1", 0L));

    assertThat(verdict).isEqualTo(new CheckoutVerdict(1, 1, 0, 0, 0, 0, 0));
    assertThat(verdict.isClean()).isTrue();
  }

  @Test
  void nothingAtAllIsClean() {
    assertThat(verdict(Map.of(), List.of(), List.of(), Map.of()).isClean()).isTrue();
  }

  @Test
  void chargesBelongToConfirmedOrdersOnceEach() {
    CheckoutVerdict verdict =
        verdict(
            Map.of(
                "order-0", State.CONFIRMED, "order-1", State.CONFIRMED, "order-2", State.CANCELLED),
            List.of("order-0", "order-0", "order-0", "order-2", "order-3"),
            List.of(FIRST, SECOND),
            Map.of("article-0", 1L, "article-1", 2L));

    assertThat(verdict.unpaid()).isEqualTo(1);
    assertThat(verdict.unordered()).isEqualTo(2);
    assertThat(verdict.overcharged()).isEqualTo(2);
    assertThat(verdict.stock()).isZero();
    assertThat(verdict.isClean()).isFalse();
  }

  @Test
  void anOpenOrderIsUnpaidOrItsChargeIsUnorderedAndItsUnitsAreNotDue() {
    assertThat(
            verdict(
                Map.of("order-0", State.OPEN), List.of(), List.of(FIRST), Map.of("article-0", 1L)))
        .isEqualTo(new CheckoutVerdict(0, 0, 1, 1, 0, 0, 1));
    assertThat(verdict(Map.of("order-0", State.OPEN), List.of("order-0"), List.of(), Map.of()))
        .isEqualTo(new CheckoutVerdict(0, 0, 1, 0, 1, 0, 0));
  }

  @Test
  void stockIsOutWhenAnOrderHasOtherUnitsThanItsOwn() {
    Map<String, State> orders =
        Map.of("order-0", State.CONFIRMED, "order-1", State.CONFIRMED, "order-2", State.CANCELLED);
    List<String> charged = List.of("order-0", "order-1");

    assertThat(verdict(orders, charged, List.of(FIRST), Map.of("article-0", 1L)).stock())
        .as("one without its units")
        .isEqualTo(1);
    assertThat(
            verdict(
                    orders,
                    charged,
                    List.of(FIRST, SECOND, new Taken("order-2", "article-2", 3)),
                    Map.of("article-0", 1L, "article-1", 2L, "article-2", 3L))
                .stock())
        .as("a cancelled one with units")
        .isEqualTo(1);
    assertThat(
            verdict(
                    orders,
                    charged,
                    List.of(FIRST, SECOND, new Taken("order-9", "article-1", 1)),
                    Map.of("article-0", 1L, "article-1", 3L))
                .stock())
        .as("units of an order that is not there")
        .isEqualTo(1);
  }

  @Test
  void stockIsOutWhenAnArticleLacksOtherUnitsThanOrdersHave() {
    Map<String, State> orders = Map.of("order-0", State.CONFIRMED);

    for (long missing : new long[] {0, 2}) {
      assertThat(
              verdict(orders, List.of("order-0"), List.of(FIRST), Map.of("article-0", missing))
                  .stock())
          .isEqualTo(1);
    }
  }
}
