package dev.holdfast.rabbitmq;

import com.rabbitmq.client.Delivery;
import dev.holdfast.InvalidConfiguration;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * How a {@link RabbitMqInbox} parks messages that cannot be handled: in the database, with the
 * later ones of their key behind them, until an operator has them handled again in order or skips
 * them.
 *
 * @param maxParked how many messages of the inbox's consumer may be parked; 1 to 1,000,000, default
 *     10,000. A thread whose next message would be one more waits, and says so
 * @param maxBytes how much a message may have, body and properties, to be parked; 1 to 64 MiB,
 *     default 4 MiB. A larger one goes where the settings send it without parking
 * @param key of a message, the same whenever it comes, {@code null} for one that has no order; by
 *     default its header {@code cloudEvents_partitionkey}. Called by several threads at once
 */
public record RabbitMqParking(
    int maxParked, int maxBytes, Function<Delivery, @Nullable String> key) {
  public static final RabbitMqParking DEFAULT =
      new RabbitMqParking(10_000, 4 << 20, RabbitMqParking::partitionKey);

  public RabbitMqParking {
    check("maxParked", maxParked, 1_000_000);
    check("maxBytes", maxBytes, 64 << 20);
  }

  private static void check(String name, int value, int most) {
    if (value < 1 || value > most) {
      throw new InvalidConfiguration(
          "The %s of a RabbitMQ inbox is %,d, and must be 1 to %,d. Nothing was started."
              .formatted(name, value, most));
    }
  }

  private static @Nullable String partitionKey(Delivery message) {
    Map<String, Object> headers = message.getProperties().getHeaders();
    Object key = headers == null ? null : headers.get("cloudEvents_partitionkey");
    // As some clients send text.
    return key instanceof byte[] bytes
        ? new String(bytes, StandardCharsets.UTF_8)
        : key == null ? null : key.toString();
  }

  public RabbitMqParking withMaxParked(int value) {
    return new RabbitMqParking(value, maxBytes, key);
  }

  public RabbitMqParking withMaxBytes(int value) {
    return new RabbitMqParking(maxParked, value, key);
  }

  public RabbitMqParking withKey(Function<Delivery, @Nullable String> value) {
    return new RabbitMqParking(maxParked, maxBytes, value);
  }
}
