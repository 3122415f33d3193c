package dev.holdfast.examples.spring;

/**
 * An order.
 *
 * @param id the customer's, so that placing it twice is noticed
 * @param cents its total
 */
public record Order(String id, long cents) {
  public Order {
    if (id == null || id.isBlank()) {
      throw new IllegalArgumentException("The order has no id.");
    }
  }
}
