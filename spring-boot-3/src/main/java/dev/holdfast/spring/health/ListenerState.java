package dev.holdfast.spring.health;

import dev.holdfast.inbox.ListenerStatus;
import java.util.List;
import java.util.function.Supplier;

/**
 * What a consumer of a queue does in this process.
 *
 * @param source where it receives from, for people
 */
public record ListenerState(String consumer, String source, ListenerStatus status) {

  /** Those of this process: a bean that both versions' indicators ask. */
  @FunctionalInterface
  public interface All extends Supplier<List<ListenerState>> {}
}
