/**
 * A compacted topic as a side of a {@linkplain dev.holdfast.reconcile reconciliation}. May know the
 * core's package and the Kafka client, nothing else.
 */
@NullMarked
package dev.holdfast.kafka.reconcile;

import org.jspecify.annotations.NullMarked;
