/**
 * A Kafka consumer whose offsets are in the database, moved in the transaction of its effects.
 *
 * <p>The states of a partition: <em>fresh</em> (assigned, held until its position is read and
 * checked), <em>reading</em>, <em>stopped</em> (its position makes no sense any more: a question to
 * an operator, kept in the database), gone (another member's). Commit points: the database's commit
 * of a slice of what was polled, with the offsets behind it, the effects, the ids received, what is
 * published and what is parked. A crash before it leaves nothing, and whoever reads the partition
 * next polls the slice again; a crash after it leaves all of it, and the next one goes on behind
 * it. A lost reply is resolved by reading the offsets again.
 *
 * <p>A zombie, which believes to own what another member reads, moves the offset by compare-and-set
 * and under the row's lock: it fails, or comes first as if it were the owner, and then the owner
 * fails and reads the offset again. Kafka's own offsets are only a trailing copy for tools.
 *
 * <p>What was polled is committed only when the topic still is the one of that name that the
 * offsets belong to, asked after the poll: a topic that was deleted and made again is never read on
 * from the old one's offsets.
 *
 * <p>All of a consumer's work is on one thread. May know the core and the Kafka client.
 */
@NullMarked
package dev.holdfast.kafka.inbox;

import org.jspecify.annotations.NullMarked;
