package dev.holdfast.examples.quarkus;

/**
 * An order.
 *
 * @param id the customer's, so that placing it twice is noticed
 * @param cents its total
 */
public record Order(String id, long cents) {
  String json() {
    return "{\"id\":\"%s\",\"cents\":%d}".formatted(id, cents);
  }
}
