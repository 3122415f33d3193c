package dev.holdfast.jms;

import dev.holdfast.jms.JmsSender.Addressed;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import jakarta.jms.Connection;
import jakarta.jms.JMSException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Sends a batch as one transaction, and when that fails message by message, until it is known which
 * of them are refused for what they are.
 *
 * <p>JMS has no error for "this message will never do", and many providers answer a failed commit
 * without saying whose fault it was. So a message whose error does not say so itself is held to be
 * refused only when it fails twice, and the broker, asked in between and after, answers. Otherwise
 * the broker is taken for unavailable, and nobody is parked for that.
 */
final class JmsTargetSession implements TargetSession {
  private final JmsTarget.Settings settings;
  private final Connection connection;
  private final JmsSender sender;
  private final AtomicBoolean closed = new AtomicBoolean();

  JmsTargetSession(JmsTarget.Settings settings, Connection connection, JmsSender sender) {
    this.settings = settings;
    this.connection = connection;
    this.sender = sender;
  }

  /** What became of one message: there, refused with a reason, or not known. */
  private sealed interface Fate {
    record There() implements Fate {}

    record Refused(String reason) implements Fate {}

    record Unknown(Throwable cause) implements Fate {}
  }

  @Override
  public Optional<String> peekProgress() {
    return Optional.empty();
  }

  @Override
  public void takeOver() {
    // Nobody can be fenced here, which the capabilities say.
  }

  @Override
  public Optional<String> progress() {
    return Optional.empty();
  }

  @Override
  public Delivery send(List<OutboxRecord> messages, String progress) {
    if (messages.isEmpty()) {
      return new Delivery.Done();
    }
    Map<Long, String> refused = new HashMap<>();
    List<Addressed> batch = new ArrayList<>(messages.size());
    for (OutboxRecord message : messages) {
      address(message, batch, refused);
    }
    if (!refused.isEmpty()) {
      // Parked first, then the others are sent in one piece.
      return new Delivery.Refused(refused, Set.of());
    }
    try {
      sender.commit(batch);
      return new Delivery.Done();
    } catch (JMSException | RuntimeException e) {
      return oneByOne(batch, e);
    }
  }

  private void address(OutboxRecord message, List<Addressed> batch, Map<Long, String> refused) {
    byte[] payload = message.payload();
    if (settings.maxBytes() > 0 && payload != null && payload.length > settings.maxBytes()) {
      refused.put(
          message.position(),
          "the payload has %,d bytes, over the bound of %,d that was set for this target"
              .formatted(payload.length, settings.maxBytes()));
      return;
    }
    try {
      batch.add(new Addressed(message, settings.destinations().apply(message.topic())));
    } catch (RuntimeException e) {
      refused.put(
          message.position(),
          "no destination was told for topic %s: %s".formatted(message.topic(), Failures.text(e)));
    }
  }

  private Delivery oneByOne(List<Addressed> batch, Throwable why) {
    if (Failures.isFull(why) || closed.get()) {
      return unavailable(why);
    }
    Map<Long, String> refused = new HashMap<>();
    Set<Long> delivered = new HashSet<>();
    Set<String> stopped = new HashSet<>();
    for (Addressed each : batch) {
      OutboxRecord message = each.message();
      if (stopped.contains(message.lane())) {
        continue;
      }
      Fate fate = settle(each);
      if (fate instanceof Fate.Refused no) {
        refused.put(message.position(), no.reason());
        stopped.add(message.lane());
      } else if (fate instanceof Fate.Unknown unknown) {
        // What was refused before this is so all the same.
        return refused.isEmpty()
            ? unavailable(unknown.cause())
            : new Delivery.Refused(refused, delivered);
      } else {
        delivered.add(message.position());
      }
    }
    return refused.isEmpty() ? new Delivery.Done() : new Delivery.Refused(refused, delivered);
  }

  /** Sends one message in a transaction of its own, twice if it must be. */
  private Fate settle(Addressed message) {
    Fate first = attempt(message);
    if (!(first instanceof Fate.Unknown) || !sender.answers(message.destination())) {
      return first;
    }
    Fate second = attempt(message);
    if (second instanceof Fate.Unknown unknown
        && !Failures.isFull(unknown.cause())
        && sender.answers(message.destination())) {
      return new Fate.Refused(
          "the broker answers, and failed this message twice: " + Failures.text(unknown.cause()));
    }
    return second;
  }

  private Fate attempt(Addressed message) {
    try {
      sender.renew();
      sender.commit(List.of(message));
      return new Fate.There();
    } catch (JMSException | RuntimeException e) {
      if (settings.deduplication() != null && Failures.isDuplicate(e)) {
        return new Fate.There();
      }
      String reason = Failures.refusal(e);
      return reason == null ? new Fate.Unknown(e) : new Fate.Refused(reason);
    }
  }

  private static Delivery unavailable(Throwable cause) {
    return new Delivery.Unavailable("The JMS broker did not take it: " + Failures.text(cause));
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      Closing.quickly(connection);
    }
  }
}
