package dev.holdfast.eventlog.decider;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.eventlog.Leaves;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What has to be handled, and what a specification finds. */
final class DeciderTest {
  sealed interface Command {}

  record Place(int number) implements Command {}

  sealed interface End extends Command {}

  record Ship() implements End {}

  record Cancel() implements End {}

  sealed interface Event permits Placed, Shipped {}

  record Placed(int number) implements Event {}

  record Shipped() implements Event {}

  record Order(int number, boolean isShipped) {}

  private static Decider.Builder<Command, Event, Order> orders() {
    return Decider.of("orders", Command.class, Event.class, new Order(0, false))
        .decide(Place.class, (order, place) -> List.of(new Placed(place.number())))
        .decide(
            Ship.class,
            (order, ship) -> {
              if (order.number() == 0) {
                throw new IllegalStateException("nothing is placed");
              }
              return order.isShipped() ? List.of() : List.of(new Shipped());
            })
        .evolve(Placed.class, (order, placed) -> new Order(placed.number(), false));
  }

  private static Decider<Command, Event, Order> whole() {
    return orders()
        .decide(End.class, (order, end) -> List.of())
        .evolve(Shipped.class, (order, shipped) -> new Order(order.number(), true))
        .build();
  }

  @Test
  void isNotBuiltWhileSomethingIsHandledByNobody() {
    assertThatThrownBy(orders()::build)
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining(Cancel.class.getName())
        .hasMessageContaining("decide(…)");
    assertThatThrownBy(orders().decide(Cancel.class, (order, cancel) -> List.of())::build)
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining(Shipped.class.getName())
        .hasMessageContaining("evolve(…)");
    assertThatThrownBy(() -> orders().evolve(Placed.class, (order, placed) -> order))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("two handlers");
  }

  interface Open {}

  sealed interface HalfOpen permits Known, Unknown {}

  record Known() implements HalfOpen {}

  non-sealed interface Unknown extends HalfOpen {}

  @Test
  void isNotBuiltOfWhatSomebodyElseCanAddTo() {
    for (Class<?> type : List.of(Open.class, HalfOpen.class)) {
      assertThatThrownBy(
              () ->
                  Decider.of("open", type, Placed.class, 0)
                      .evolve(Placed.class, (n, e) -> 1)
                      .build())
          .isInstanceOf(InvalidConfiguration.class)
          .hasMessageContaining("not sealed");
    }
    assertThatThrownBy(() -> Decider.of("Open!", Command.class, Event.class, 0))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("Open!");
  }

  sealed interface Left {}

  sealed interface Right {}

  record Both() implements Left, Right, Either {}

  sealed interface Either {}

  @Test
  void aClassHasTheHandlerThatIsNearest() {
    assertThat(whole().decide(new Order(1, false), new Cancel())).isEmpty();
    assertThat(whole().decide(new Order(1, false), new Ship())).containsExactly(new Shipped());
    assertThat(
            Leaves.assign(Leaves.of("Event", Either.class), java.util.Map.of(Left.class, "l"), ""))
        .containsEntry(Both.class, "l");
    assertThatThrownBy(
            () ->
                Leaves.assign(
                    Leaves.of("Event", Either.class),
                    java.util.Map.of(Left.class, "l", Right.class, "r"),
                    ""))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("as each of");
  }

  @Test
  void isSpecified() {
    Specification<Command, Event, Order> orders = Specification.of(whole());
    orders.given(new Placed(3)).when(new Ship()).then(new Shipped()).thenState(new Order(3, true));
    orders.given(new Placed(3), new Shipped()).when(new Ship()).then();
    orders.when(new Ship()).thenRefused(IllegalStateException.class);
  }

  @Test
  void whatIsNotAsSpecifiedIsSaid() {
    Specification<Command, Event, Order> orders = Specification.of(whole()).given(new Placed(3));
    assertThatThrownBy(() -> orders.when(new Ship()).then())
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("Shipped");
    assertThatThrownBy(() -> orders.when(new Ship()).thenState(new Order(3, false)))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("state");
    assertThatThrownBy(() -> orders.when(new Ship()).thenRefused(IllegalStateException.class))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("should be refused");
    assertThatThrownBy(() -> Specification.of(whole()).when(new Ship()).then(new Shipped()))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("nothing is placed");
  }
}
