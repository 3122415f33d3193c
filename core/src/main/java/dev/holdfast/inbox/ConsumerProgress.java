package dev.holdfast.inbox;

/**
 * What a reader of a partitioned log has done since it was started, and how much is before it.
 *
 * @param partitions how many it reads
 * @param lag how many records are behind what is handled there, as far as the broker has said
 * @param handled records that were handled, and whose offsets have moved with their effects
 * @param parked records that it has held back because they could not be handled
 */
public record ConsumerProgress(int partitions, long lag, long handled, long parked) {
  public static final ConsumerProgress NONE = new ConsumerProgress(0, 0, 0, 0);

  /** Of both together, where several threads read. */
  public ConsumerProgress plus(ConsumerProgress other) {
    return new ConsumerProgress(
        partitions + other.partitions,
        lag + other.lag,
        handled + other.handled,
        parked + other.parked);
  }
}
