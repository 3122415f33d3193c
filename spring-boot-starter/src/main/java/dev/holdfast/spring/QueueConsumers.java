package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.inbox.Inbox;
import dev.holdfast.inbox.InboxSettings;
import dev.holdfast.inbox.ListenerStatus;
import dev.holdfast.spring.health.ListenerState;
import java.util.List;
import java.util.function.Function;
import java.util.function.Supplier;

/** The consumers of queues, of whichever broker: what is to be started, and what has been. */
final class QueueConsumers {
  /** Of one that does not run. */
  static final ListenerStatus NONE = new ListenerStatus(0, 0, 0, 0, 0, 0, 0, false);

  private QueueConsumers() {}

  /** What receives, as far as it has to be known here. */
  record Receiver(Supplier<ListenerStatus> status, Runnable close) {}

  /**
   * A consumer that can be started.
   *
   * @param source where it receives from, for people
   * @param receiver starts what receives into an inbox
   */
  record Planned(
      Holdfast holdfast,
      String consumer,
      String source,
      InboxSettings inbox,
      Function<Inbox, Receiver> receiver)
      implements Consumers.Plan {
    @Override
    public Consumers.Running start() {
      return new Receiving(consumer, source, receiver.apply(holdfast.inbox(consumer, inbox)));
    }

    @Override
    public String toString() {
      return consumer + " receives from " + source;
    }
  }

  /** One that has been started. */
  record Receiving(String consumer, String source, Receiver receiver) implements Consumers.Running {
    @Override
    public List<Runnable> closing() {
      return List.of(receiver.close());
    }

    ListenerState state() {
      return new ListenerState(consumer, source, receiver.status().get());
    }
  }
}
