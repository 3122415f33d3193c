package dev.holdfast.outbox;

import dev.holdfast.outbox.store.OutboxRecord;
import java.util.List;
import java.util.Optional;

/** A session whose sendings are told to a listener. */
final class ListenedSession implements TargetSession {
  private final TargetSession session;
  private final String channel;
  private final OutboxListener listener;

  ListenedSession(TargetSession session, String channel, OutboxListener listener) {
    this.session = session;
    this.channel = channel;
    this.listener = listener;
  }

  @Override
  public Delivery send(List<OutboxRecord> messages, String progress) {
    if (messages.isEmpty()) {
      return session.send(messages, progress);
    }
    OutboxListener.Sending sending = listener.sending(channel, messages);
    Delivery delivery = new Delivery.Unavailable("the target has failed");
    try {
      delivery = session.send(messages, progress);
      return delivery;
    } finally {
      sending.ended(delivery);
    }
  }

  @Override
  public Optional<String> peekProgress() {
    return session.peekProgress();
  }

  @Override
  public void takeOver() {
    session.takeOver();
  }

  @Override
  public Optional<String> progress() {
    return session.progress();
  }

  @Override
  public void close() {
    session.close();
  }
}
