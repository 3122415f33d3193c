/**
 * Kafka as a boundary.
 *
 * <p>In the transactional mode a batch and its progress record, in a compacted topic, are one Kafka
 * transaction. The states of a session: open (a bystander's), leading (it fenced the predecessor;
 * nothing is uncommitted), sending (a transaction is open), dead. Commit points: {@code
 * commitTransaction}. A crash before it: the transaction is aborted by the next leader's {@code
 * initTransactions}, or by the broker's timeout, and a {@code read_committed} reader never sees it.
 * A crash after it: the next leader reads the progress record and goes on behind the batch. A lost
 * reply to it: the session is dead, and the next one finds out by the same record.
 *
 * <p>{@code acks=all} is replicated, not fsynced: what Kafka acknowledged survives the crash of a
 * process, not a loss of power on all replicas; the outbox's retention is the horizon for
 * replaying.
 *
 * <p>May know the core's target interfaces and the Kafka client, nothing else.
 */
@NullMarked
package dev.holdfast.kafka;

import org.jspecify.annotations.NullMarked;
