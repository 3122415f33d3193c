package dev.holdfast.kafka.inbox;

import org.jspecify.annotations.Nullable;

/**
 * Where a consumer is in a partition that it reads.
 *
 * @param next the offset of the first record that is not handled
 * @param lag how many offsets are behind that, up to the last one that is committed at the broker;
 *     -1 when the broker did not say
 * @param stopped why it is not read any further; {@code null} while it is
 */
public record PartitionStatus(
    String topic, int partition, long next, long lag, @Nullable String stopped) {}
