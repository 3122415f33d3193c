/**
 * An order service that writes to PostgreSQL and to Kafka: {@link
 * dev.holdfast.examples.orders.DualWriteOrders} as it is usually written, {@link
 * dev.holdfast.examples.orders.OutboxOrders} with the message in the commit of the order. The
 * services know nothing of the crash lab; {@link dev.holdfast.examples.orders.OrdersLab} starts
 * them in it.
 */
@NullMarked
package dev.holdfast.examples.orders;

import org.jspecify.annotations.NullMarked;
