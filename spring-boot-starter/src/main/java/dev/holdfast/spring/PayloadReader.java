package dev.holdfast.spring;

import java.lang.reflect.Type;

/**
 * Makes of a message what a listener method ({@link HoldfastListener}, {@link HoldfastJmsListener},
 * {@link HoldfastRabbitListener}) takes as its payload, when that is neither {@code byte[]} nor
 * {@code String}. A bean of this type replaces the one that reads JSON with the application's
 * {@code JsonMapper} of Jackson 3 or {@code ObjectMapper} of Jackson 2. Has to be thread-safe.
 */
@FunctionalInterface
public interface PayloadReader {
  /**
   * Called inside the message's transaction. What it throws counts as a failed attempt, as the
   * method's own exceptions do.
   *
   * @param payload which is there; of a JMS message of text in UTF-8
   * @param type the parameter's, with its type arguments
   * @param message it came in: a {@code ConsumerRecord<byte[], byte[]>}, a {@code
   *     jakarta.jms.Message} or a {@code com.rabbitmq.client.Delivery}
   */
  Object read(byte[] payload, Type type, Object message);
}
