package dev.holdfast.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Has a method of a singleton bean handle the messages of a RabbitMQ queue. It runs in a
 * transaction of Spring's own manager, in which the message's id ({@code message-id}) is
 * remembered: what the method does on Holdfast's {@code DataSource} by {@code JdbcTemplate}, JPA or
 * {@code @Transactional} methods, what it publishes through {@link TransactionalOutbox}, and the id
 * are one commit, of this message alone. The broker is told after it. A crash in between brings the
 * message again, and it is known; so its effects happen once, for as long as ids are remembered
 * ({@code holdfast.consumers.NAME.message-ids.retention}).
 *
 * <p>What the method throws rolls its message back; so does an inner transaction that marks the
 * common one rollback-only, even if its exception was caught. It is tried again, and given up after
 * {@code holdfast.consumers.NAME.attempts}. What becomes of it then has no default: {@code
 * holdfast.consumers.NAME.dead-letter} names a queue, or {@code rabbitmq.reject=true} leaves it to
 * the queue's own dead-letter exchange; with {@code holdfast.consumers.NAME.parking} it is parked
 * in the database before that. {@link dev.holdfast.inbox.TryAgainLater} is waited with instead.
 * What the method committed by itself, in a transaction of its own ({@code REQUIRES_NEW}) or at
 * another system, is done again with the message.
 *
 * <p>The method returns nothing. Its parameters, in any order, are at most one of each: a {@code
 * com.rabbitmq.client.Delivery}, a {@link dev.holdfast.Transaction}, and the payload, which is a
 * {@code byte[]}, a {@code String} (UTF-8) or of a type that the {@link PayloadReader} reads.
 * Parameters with {@code @Header} of Spring's messaging take a header of the message as a {@code
 * String} or {@code byte[]}.
 *
 * <p>Methods run on threads of Holdfast: on one in each process unless {@code
 * holdfast.consumers.NAME.concurrency} says otherwise. Needs the module {@code holdfast-rabbitmq}.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Documented
public @interface HoldfastRabbitListener {
  /**
   * The consumer, under whose name ids are remembered; keep it stable. It belongs to this method
   * alone. Placeholders are resolved.
   */
  String consumer();

  /** The queue, which has to exist. Placeholders are resolved. */
  String queue();
}
