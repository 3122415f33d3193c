package dev.holdfast.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Has a method of a singleton bean handle the records of Kafka topics. It runs in a transaction of
 * Spring's own manager, which also moves the consumer's offset: what the method does on Holdfast's
 * {@code DataSource} by {@code JdbcTemplate}, JPA or {@code @Transactional} methods, what it
 * publishes through {@link TransactionalOutbox}, and the offset are one commit, shared by the
 * records that were polled together. A crash leaves all of it or nothing.
 *
 * <p>What the method throws rolls its record back; so does an inner transaction that marks the
 * common one rollback-only, even if its exception was caught. The record is tried again, and parked
 * with the later ones of its key after {@code holdfast.consumers.NAME.attempts}; {@link
 * dev.holdfast.inbox.TryAgainLater} is waited with instead. The method may run again for records
 * that had been handled, after a failure of a neighbour's: nothing is left of the run before, apart
 * from what it committed by itself, in a transaction of its own ({@code REQUIRES_NEW}) or at
 * another system, which is done again then.
 *
 * <p>The method returns nothing. Its parameters, in any order, are at most one of each: a {@code
 * ConsumerRecord<byte[], byte[]>}, a {@link dev.holdfast.Transaction}, and the payload, which is a
 * {@code byte[]}, a {@code String} (UTF-8) or of a type that the {@link PayloadReader} reads; a
 * tombstone is {@code null}. Parameters with {@code @Header} of Spring's messaging take a {@code
 * String} or {@code byte[]}.
 *
 * <p>A method that takes a {@code List<ConsumerRecord<byte[], byte[]>>}, and a {@link
 * dev.holdfast.Transaction} where it wants one, is called once for what was polled of its topics
 * together, {@code max.poll.records} at most. What it throws rolls all of that back, and the halves
 * are handled by themselves, until the record that cannot be handled stands alone. The methods of a
 * consumer are all of this kind, or none. A list of anything else is a payload.
 *
 * <p>Methods run on threads of Holdfast, those of one consumer on one thread in each process unless
 * {@code holdfast.consumers.NAME.concurrency} says otherwise.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Documented
public @interface HoldfastListener {
  /**
   * The consumer, under whose name the offsets are kept; keep it stable. Several methods may belong
   * to one, each with topics of its own. Placeholders are resolved.
   */
  String consumer();

  /** Topics without patterns; a placeholder may stand for several, separated by commas. */
  String[] topics();
}
