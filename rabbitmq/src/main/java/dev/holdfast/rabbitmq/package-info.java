/**
 * RabbitMQ as a boundary, over AMQP 0-9-1: a channel's target, and a listener that acknowledges a
 * message when its effects are committed.
 *
 * <h2>Delivering</h2>
 *
 * Messages are published as persistent and mandatory on a channel with publisher confirms. Commit
 * point: the broker's confirm, which for a durable queue means that the message is on its disk. A
 * crash before it, or a lost confirm: the message comes again, under the same id. A batch goes out
 * in waves that hold each key once, and a wave is confirmed before the next begins: were two
 * messages of one key under way together, the second could be taken although the first was not.
 *
 * <h2>Receiving</h2>
 *
 * Receive, commit in the database (the message's id, its effects, the messages that its handler
 * publishes), acknowledge. A crash between the last two brings the message again, and the inbox
 * knows it. What cannot be handled is published elsewhere, rejected, or parked in the database
 * before it is acknowledged.
 *
 * <p>May know the core's target interfaces and inbox, and RabbitMQ's client, nothing else.
 */
@NullMarked
package dev.holdfast.rabbitmq;

import org.jspecify.annotations.NullMarked;
