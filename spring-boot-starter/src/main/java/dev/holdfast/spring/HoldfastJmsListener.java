package dev.holdfast.spring;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Has a method of a singleton bean handle the messages of a JMS queue, or of a topic's durable
 * subscription. It runs in a transaction of Spring's own manager, in which the message's id is
 * remembered: what the method does on Holdfast's {@code DataSource} by {@code JdbcTemplate}, JPA or
 * {@code @Transactional} methods, what it publishes through {@link TransactionalOutbox}, and the id
 * are one commit, of this message alone. The broker is told after it. A crash in between brings the
 * message again, and it is known; so its effects happen once, for as long as ids are remembered
 * ({@code holdfast.consumers.NAME.message-ids.retention}).
 *
 * <p>What the method throws rolls its message back; so does an inner transaction that marks the
 * common one rollback-only, even if its exception was caught. The broker brings the message again.
 * After {@code holdfast.consumers.NAME.attempts} it is moved to the queue {@code
 * holdfast.consumers.NAME.dead-letter}; without one the broker's own policy decides. With {@code
 * holdfast.consumers.NAME.parking} it is parked in the database instead. {@link
 * dev.holdfast.inbox.TryAgainLater} is waited with instead. What the method committed by itself, in
 * a transaction of its own ({@code REQUIRES_NEW}) or at another system, is done again with the
 * message.
 *
 * <p>The method returns nothing. Its parameters, in any order, are at most one of each: a {@code
 * jakarta.jms.Message}, a {@link dev.holdfast.Transaction}, and the payload of a message of text or
 * bytes, which is a {@code byte[]}, a {@code String} (UTF-8) or of a type that the {@link
 * PayloadReader} reads; of a message without a body it is {@code null}. Parameters with
 * {@code @Header} of Spring's messaging take a property of the message as a {@code String} or
 * {@code byte[]}.
 *
 * <p>Methods run on threads of Holdfast: on one in each process unless {@code
 * holdfast.consumers.NAME.concurrency} says otherwise. Needs the module {@code holdfast-jms}.
 */
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@Documented
public @interface HoldfastJmsListener {
  /**
   * The consumer, under whose name ids are remembered; keep it stable. It belongs to this method
   * alone. Placeholders are resolved.
   */
  String consumer();

  /** The queue; empty where a topic is named. Placeholders are resolved. */
  String queue() default "";

  /** The topic, with the {@link #subscription}; empty where a queue is named. */
  String topic() default "";

  /** The durable shared subscription that a topic needs, and a queue does not have. */
  String subscription() default "";
}
