package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.NoTransaction;
import java.util.List;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.context.ApplicationEvent;
import org.springframework.context.ApplicationListener;
import org.springframework.context.PayloadApplicationEvent;

/**
 * Publishes the events that Spring Modulith externalizes, in the transaction that they are
 * published in. Thread-safe.
 *
 * <p>Modulith's own externalizers are called after the commit, which is where a crash loses what
 * only they know of; so Modulith keeps a row of its own for each event and calls them anew. This is
 * an ordinary listener instead, which is called where the event is published, on that thread, and
 * leaves nothing to be called anew: the message is in the commit. For the same reason it is none of
 * Modulith's listeners, which would get a row in its registry.
 *
 * <p>What it throws reaches who publishes the event. In case that is caught, by an error handler of
 * the multicaster perhaps, the commit is refused as well: an event that cannot be recorded must not
 * become a commit without a message.
 */
final class ExternalizedEvents implements ApplicationListener<ApplicationEvent> {
  private final ExternalizedMessages messages;

  /** Not the outbox itself: events are published before it can be made, while the start goes on. */
  private final ObjectProvider<TransactionalOutbox> outbox;

  ExternalizedEvents(ExternalizedMessages messages, ObjectProvider<TransactionalOutbox> outbox) {
    this.messages = messages;
    this.outbox = outbox;
  }

  @Override
  public void onApplicationEvent(ApplicationEvent event) {
    Object payload =
        event instanceof PayloadApplicationEvent<?> wrapped ? wrapped.getPayload() : event;
    if (messages.supports(payload)) {
      publish(payload);
    }
  }

  private void publish(Object event) {
    TransactionalOutbox target = outbox.getObject();
    try {
      target.publish(messages.of(event));
    } catch (NoTransaction e) {
      throw new NoTransaction(
          "An event of the type %s is externalized, and could not be recorded where it was published. %s"
              .formatted(event.getClass().getName(), e.getMessage()),
          e);
    } catch (RuntimeException e) {
      target.refuseCommit(e);
      throw e;
    }
  }

  /** On another thread there is no transaction. */
  @Override
  public boolean supportsAsyncExecution() {
    return false;
  }

  /** Refuses to externalize what another externalizer would send as well. */
  static void requireAlone(List<String> others, boolean outboxMode) {
    if (outboxMode) {
      throw new InvalidConfiguration(
          "spring.modulith.events.externalization.mode=outbox has another outbox send the events"
              + " that Holdfast records as well, so each would arrive twice. The application was"
              + " not started. Take that property away, or set holdfast.modulith.enabled=false.");
    }
    if (!others.isEmpty()) {
      throw new InvalidConfiguration(
          "Spring Modulith's externalizers "
              + others
              + " send the events that Holdfast records as well, so each would arrive twice. The"
              + " application was not started. Take away the module that brings them"
              + " (spring-modulith-events-kafka, say), or set holdfast.modulith.enabled=false.");
    }
  }
}
