package dev.holdfast.jms;

import dev.holdfast.InvalidConfiguration;

/**
 * How a {@link JmsInbox} parks messages that cannot be handled: in the database, with the later
 * ones of their key behind them, until an operator has them handled again in order or skips them.
 *
 * @param maxParked how many messages of the inbox's consumer may be parked; 1 to 1,000,000, default
 *     10,000. A thread whose next message would be one more waits, and says so
 * @param maxBytes how much a message may have, body and properties, to be parked; 1 to 64 MiB,
 *     default 4 MiB. A larger one goes where the settings send it without parking
 * @param key of a message; by default its property {@code cloudEvents_partitionkey}, else its
 *     {@code JMSXGroupID}
 */
public record JmsParking(int maxParked, int maxBytes, JmsKey key) {
  public static final JmsParking DEFAULT =
      new JmsParking(
          10_000,
          4 << 20,
          message -> {
            String key = message.getStringProperty("cloudEvents_partitionkey");
            return key == null ? message.getStringProperty("JMSXGroupID") : key;
          });

  public JmsParking {
    check("maxParked", maxParked, 1_000_000);
    check("maxBytes", maxBytes, 64 << 20);
  }

  private static void check(String name, int value, int most) {
    if (value < 1 || value > most) {
      throw new InvalidConfiguration(
          "The %s of a JMS inbox is %,d, and must be 1 to %,d. Nothing was started."
              .formatted(name, value, most));
    }
  }

  public JmsParking withMaxParked(int value) {
    return new JmsParking(value, maxBytes, key);
  }

  public JmsParking withMaxBytes(int value) {
    return new JmsParking(maxParked, value, key);
  }

  public JmsParking withKey(JmsKey value) {
    return new JmsParking(maxParked, maxBytes, value);
  }
}
