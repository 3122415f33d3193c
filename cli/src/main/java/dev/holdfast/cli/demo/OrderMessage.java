package dev.holdfast.cli.demo;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.holdfast.HoldfastException;

/**
 * What the order service says of an order.
 *
 * @param sequence rising with the customer's orders
 */
record OrderMessage(String order, String customer, long sequence) {
  private static final ObjectMapper JSON = new ObjectMapper();

  String json() {
    return "{\"order\":\"%s\",\"customer\":\"%s\",\"sequence\":%d}"
        .formatted(order, customer, sequence);
  }

  static OrderMessage parse(String json) {
    try {
      return JSON.readValue(json, OrderMessage.class);
    } catch (JsonProcessingException e) {
      throw new HoldfastException("A message is not an order: " + e.getOriginalMessage(), e);
    }
  }
}
