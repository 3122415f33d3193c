package dev.holdfast.spring.health;

import java.util.List;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Where a consumer is in the partitions that this process reads.
 *
 * @param partitions how many these are; 0 where other processes read all
 * @param lag how many offsets are behind what is handled, as far as the broker has said
 * @param stopped by topic and partition, why one is not read any further
 */
public record ConsumerState(
    String consumer, int partitions, long lag, Map<String, String> stopped) {
  public ConsumerState {
    stopped = Map.copyOf(stopped);
  }

  /** The consumers of this process: a bean that both versions' indicators ask. */
  @FunctionalInterface
  public interface All extends Supplier<List<ConsumerState>> {}
}
