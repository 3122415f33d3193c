package dev.holdfast.examples.catalogue;

import dev.holdfast.Codec;
import dev.holdfast.Holdfast;
import dev.holdfast.eventlog.EventTypes;
import dev.holdfast.eventlog.decider.Decider;
import dev.holdfast.eventlog.decider.Decisions;
import java.util.List;

/** What can be done with a product, and what that leads to. */
final class Catalogue {
  /** Before the name of a product in that of its stream. */
  static final String STREAM = "product-";

  private Catalogue() {}

  /** What somebody wants. */
  sealed interface Command {}

  record Offer(String name, String category, long cents) implements Command {}

  record Reprice(long cents) implements Command {}

  record Withdraw() implements Command {}

  /** What has happened. */
  sealed interface Event {}

  record Offered(String name, String category, long cents) implements Event {}

  record Repriced(long cents) implements Event {}

  record Withdrawn() implements Event {}

  /**
   * A product as it is.
   *
   * @param isOffered whether anybody can buy it
   */
  record Product(String name, String category, long cents, boolean isOffered) {
    static final Product NONE = new Product("", "", 0, false);
  }

  /** Refuses, and nothing has happened. */
  static final class NotPossible extends RuntimeException {
    private static final long serialVersionUID = 1L;

    NotPossible(String message) {
      super(message);
    }
  }

  static final Decider<Command, Event, Product> DECIDER =
      Decider.of("catalogue", Command.class, Event.class, Product.NONE)
          .decide(Offer.class, Catalogue::offer)
          .decide(Reprice.class, Catalogue::reprice)
          .decide(
              Withdraw.class,
              (product, withdraw) -> product.isOffered() ? List.of(new Withdrawn()) : List.of())
          .evolve(
              Offered.class,
              (product, offered) ->
                  new Product(offered.name(), offered.category(), offered.cents(), true))
          .evolve(
              Repriced.class,
              (product, repriced) ->
                  new Product(product.name(), product.category(), repriced.cents(), true))
          .evolve(
              Withdrawn.class,
              (product, withdrawn) ->
                  new Product(product.name(), product.category(), product.cents(), false))
          .build();

  private static List<Event> offer(Product product, Offer offer) {
    if (product.isOffered()) {
      throw new NotPossible(product.name() + " is offered already");
    }
    if (offer.cents() <= 0) {
      throw new NotPossible("nothing is offered for " + offer.cents() + " cents");
    }
    return List.of(new Offered(offer.name(), offer.category(), offer.cents()));
  }

  private static List<Event> reprice(Product product, Reprice reprice) {
    if (!product.isOffered()) {
      throw new NotPossible("it is not offered");
    }
    if (reprice.cents() <= 0) {
      throw new NotPossible("nothing is offered for " + reprice.cents() + " cents");
    }
    return reprice.cents() == product.cents() ? List.of() : List.of(new Repriced(reprice.cents()));
  }

  /** Under which names events are stored: those of classes may change. */
  static EventTypes<Event> types(Codec codec) {
    return EventTypes.of(Event.class)
        .type("product.offered", Offered.class)
        .type("product.repriced", Repriced.class)
        .type("product.withdrawn", Withdrawn.class)
        .build(codec);
  }

  static Decisions<Command, Event, Product> on(Holdfast holdfast, EventTypes<Event> types) {
    return new Decisions<>(holdfast, DECIDER, types);
  }
}
