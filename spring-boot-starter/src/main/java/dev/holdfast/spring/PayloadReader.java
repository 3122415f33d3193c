package dev.holdfast.spring;

import java.lang.reflect.Type;
import org.apache.kafka.clients.consumer.ConsumerRecord;

/**
 * Makes of a record what a {@link HoldfastListener} method takes as its payload, when that is
 * neither {@code byte[]} nor {@code String}. A bean of this type replaces the one that reads JSON
 * with the application's {@code JsonMapper} of Jackson 3 or {@code ObjectMapper} of Jackson 2. Has
 * to be thread-safe.
 */
@FunctionalInterface
public interface PayloadReader {
  /**
   * Called inside the record's transaction. What it throws counts as a failed attempt, as the
   * method's own exceptions do.
   *
   * @param record with a value
   * @param type the parameter's, with its type arguments
   */
  Object read(ConsumerRecord<byte[], byte[]> record, Type type);
}
