package dev.holdfast;

import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.Relay;
import dev.holdfast.outbox.store.WakeUps;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * Tells relays that something was committed: the one in this process directly, others by a
 * notification that is sent outside of anyone's transaction, since a NOTIFY inside takes a
 * database-wide lock at commit, and at most every few milliseconds.
 */
final class Hints implements AutoCloseable {
  private static final Duration DEBOUNCE = Duration.ofMillis(10);

  private final WakeUps wakeUps;
  private final @Nullable Relay relay;
  private final Doorbell doorbell = new Doorbell();
  private final Thread sender;
  private volatile boolean closing;

  Hints(WakeUps wakeUps, @Nullable Relay relay) {
    this.wakeUps = wakeUps;
    this.relay = relay;
    this.sender = new Thread(this::send, "holdfast-hints");
    sender.setDaemon(true);
    sender.start();
  }

  void committed() {
    if (relay != null) {
      relay.wake();
      if (relay.leadsAll()) {
        return;
      }
    }
    doorbell.ring();
  }

  private void send() {
    try {
      while (!closing) {
        if (doorbell.await(Duration.ofHours(1)) && !closing) {
          wakeUps.send();
          new Doorbell().await(DEBOUNCE);
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  @Override
  public void close() {
    closing = true;
    doorbell.ring();
  }
}
