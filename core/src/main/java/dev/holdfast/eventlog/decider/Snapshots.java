package dev.holdfast.eventlog.decider;

import dev.holdfast.Codec;
import dev.holdfast.InvalidConfiguration;

/**
 * States that are kept, so that a long stream is not read from its beginning by every command. A
 * cache, and nothing else: what is kept may be deleted at any time, is gone when the database
 * crashes or is restored, and is passed over where it does not fit the stream, or cannot be read.
 * Immutable.
 *
 * @param stateVersion raise it whenever the state's class changes, or what an event changes in it:
 *     what was kept under another is passed over. 1 or more
 * @param type of the state, as the codec reads and writes it
 * @param every a state is kept by a command that has come to know of this many events since the one
 *     before; 1 to 1,000,000
 */
public record Snapshots<S>(int stateVersion, Class<S> type, Codec codec, int every) {
  private static final int MOST = 1_000_000;

  /**
   * @throws InvalidConfiguration when one is out of its bounds
   */
  public Snapshots {
    if (stateVersion < 1 || every < 1 || every > MOST) {
      throw new InvalidConfiguration(
          "Snapshots of %s have the version %d, and are kept every %,d events: the version must be 1 or more, and the number 1 to %,d. Nothing was built."
              .formatted(type.getName(), stateVersion, every, MOST));
    }
  }

  /** Every 100 events. */
  public static <S> Snapshots<S> of(int stateVersion, Class<S> type, Codec codec) {
    return new Snapshots<>(stateVersion, type, codec, 100);
  }

  public Snapshots<S> every(int value) {
    return new Snapshots<>(stateVersion, type, codec, value);
  }
}
