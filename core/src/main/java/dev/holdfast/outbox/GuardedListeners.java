package dev.holdfast.outbox;

import dev.holdfast.Message;
import dev.holdfast.outbox.store.OutboxRecord;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls listeners, and lets none of them disturb the work that it learns of. */
final class GuardedListeners implements OutboxListener {
  private static final Logger log = LoggerFactory.getLogger(GuardedListeners.class);

  private final List<OutboxListener> listeners;

  GuardedListeners(List<OutboxListener> listeners) {
    this.listeners = List.copyOf(listeners);
  }

  @Override
  public Message publishing(Message message) {
    Message result = message;
    for (OutboxListener listener : listeners) {
      try {
        Message changed = listener.publishing(result);
        if (isSame(message, changed)) {
          result = changed;
        } else {
          log.warn("{} made another message of {}, which is not recorded", listener, message);
        }
      } catch (RuntimeException e) {
        failed(listener, e);
      }
    }
    return result;
  }

  private static boolean isSame(Message before, Message after) {
    return before.id().equals(after.id())
        && before.topic().equals(after.topic())
        && Objects.equals(before.key(), after.key())
        && before.payload() == after.payload();
  }

  @Override
  public void recorded(String operationId, List<Message> messages) {
    for (OutboxListener listener : listeners) {
      try {
        listener.recorded(operationId, messages);
      } catch (RuntimeException e) {
        failed(listener, e);
      }
    }
  }

  @Override
  public Sending sending(String channel, List<OutboxRecord> messages) {
    if (listeners.isEmpty()) {
      return Sending.IGNORED;
    }
    List<Sending> all = new ArrayList<>(listeners.size());
    List<OutboxRecord> view = Collections.unmodifiableList(messages);
    for (OutboxListener listener : listeners) {
      try {
        all.add(listener.sending(channel, view));
      } catch (RuntimeException e) {
        failed(listener, e);
      }
    }
    return delivery -> all.forEach(sending -> end(sending, delivery));
  }

  private static void end(Sending sending, Delivery delivery) {
    try {
      sending.ended(delivery);
    } catch (RuntimeException e) {
      failed(sending, e);
    }
  }

  @Override
  public void phase(String channel, RelayPhase from, RelayPhase to, @Nullable String problem) {
    for (OutboxListener listener : listeners) {
      try {
        listener.phase(channel, from, to, problem);
      } catch (RuntimeException e) {
        failed(listener, e);
      }
    }
  }

  private static void failed(Object listener, RuntimeException e) {
    log.warn("{} has failed, which changes nothing of the outbox's work", listener, e);
  }
}
