package dev.holdfast.rabbitmq;

import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ShutdownSignalException;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Publishes a batch in waves that hold each lane once.
 *
 * <p>What the broker refuses in the way of a missing exchange it answers by closing the channel,
 * not saying for which message. Those of the wave that were not answered are then published one at
 * a time, each alone on the channel, until it is known.
 */
final class RabbitMqSession implements TargetSession {
  private static final byte[] NO_BODY = {};

  private final RabbitMqTarget.Settings settings;
  private final Connection connection;
  private final Encoder encoder;
  private @Nullable Confirms channel;

  RabbitMqSession(RabbitMqTarget.Settings settings, Connection connection, Encoder encoder) {
    this.settings = settings;
    this.connection = connection;
    this.encoder = encoder;
  }

  /** A message and where it goes. */
  private record Routed(OutboxRecord message, RabbitMqRoute route) {}

  /** What is known of a batch. */
  private static final class Verdict {
    final Map<Long, String> refused = new HashMap<>();
    final Set<Long> delivered = new HashSet<>();
    final Set<String> stopped = new HashSet<>();

    void refuse(OutboxRecord message, String reason) {
      refused.put(message.position(), reason);
      stopped.add(message.lane());
    }

    Delivery delivery() {
      return refused.isEmpty() ? new Delivery.Done() : new Delivery.Refused(refused, delivered);
    }
  }

  /** The broker did not answer for a message in a way that says anything about it. */
  private static final class Outage extends Exception {
    private static final long serialVersionUID = 1L;

    Outage(String message) {
      super(message, null, false, false);
    }
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
    Verdict verdict = new Verdict();
    try {
      List<OutboxRecord> waiting = messages;
      while (!waiting.isEmpty()) {
        List<Routed> wave = new ArrayList<>();
        waiting = split(waiting, verdict, wave);
        sendWave(wave, verdict);
      }
      return verdict.delivery();
    } catch (Outage e) {
      // What was refused before is so all the same.
      return verdict.refused.isEmpty()
          ? new Delivery.Unavailable("RabbitMQ did not confirm: " + e.getMessage())
          : verdict.delivery();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return new Delivery.Unavailable("interrupted while waiting for RabbitMQ");
    }
  }

  /** Puts the first message of each lane into the wave and returns the rest, in order. */
  private List<OutboxRecord> split(
      List<OutboxRecord> messages, Verdict verdict, List<Routed> wave) {
    Set<String> lanes = new HashSet<>();
    List<OutboxRecord> rest = new ArrayList<>();
    for (OutboxRecord message : messages) {
      if (verdict.stopped.contains(message.lane())) {
        continue;
      }
      if (!lanes.add(message.lane())) {
        rest.add(message);
        continue;
      }
      String unencodable = Encoder.unencodable(message);
      if (unencodable != null) {
        verdict.refuse(message, unencodable);
        continue;
      }
      try {
        wave.add(new Routed(message, settings.routes().apply(message.topic())));
      } catch (RuntimeException e) {
        verdict.refuse(
            message,
            "no route was told for topic %s: %s".formatted(message.topic(), Failures.text(e)));
      }
    }
    return rest;
  }

  private void sendWave(List<Routed> wave, Verdict verdict) throws Outage, InterruptedException {
    Throwable failure = publish(wave);
    List<Routed> open = judge(wave, verdict);
    if (failure == null) {
      return;
    }
    if (Failures.refusal(failure) == null) {
      throw new Outage(Failures.text(failure));
    }
    for (Routed each : open) {
      Throwable alone = publish(List.of(each));
      String reason = alone == null ? null : Failures.refusal(alone);
      if (reason != null) {
        verdict.refuse(each.message(), reason);
      } else if (alone != null) {
        throw new Outage(Failures.text(alone));
      } else {
        judge(List.of(each), verdict);
      }
    }
  }

  /**
   * Publishes messages and waits for the answers.
   *
   * @return what closed the channel, or {@code null} when all are answered
   */
  private @Nullable Throwable publish(List<Routed> messages) throws Outage, InterruptedException {
    try {
      Confirms on = channel();
      on.begin();
      for (Routed each : messages) {
        byte[] payload = each.message().payload();
        on.publish(
            each.message().id().toString(),
            each.route(),
            encoder.encode(each.message()),
            payload == null ? NO_BODY : payload);
      }
      if (!on.await(settings.confirmTimeout())) {
        throw new Outage("no answer within " + settings.confirmTimeout());
      }
      return null;
    } catch (IOException | ShutdownSignalException e) {
      return e;
    }
  }

  /**
   * Sorts by their answers.
   *
   * @return those that have none
   */
  private List<Routed> judge(List<Routed> messages, Verdict verdict) throws Outage {
    Confirms on = channel;
    if (on == null) {
      return messages;
    }
    List<Routed> open = new ArrayList<>();
    boolean nacked = false;
    for (Routed each : messages) {
      String id = each.message().id().toString();
      Confirms.Answer answer = on.answer(id);
      if (answer == null) {
        open.add(each);
        continue;
      }
      switch (answer) {
        case CONFIRMED -> verdict.delivered.add(each.message().position());
        case RETURNED -> verdict.refuse(each.message(), on.reason(id));
        case NACKED -> nacked = true;
      }
    }
    if (nacked) {
      throw new Outage("a message was not taken (nack): a queue is full, or has failed");
    }
    return open;
  }

  /** Anew, when the last one was closed over a message. */
  private Confirms channel() throws IOException {
    Confirms open = channel;
    if (open == null || !open.isOpen()) {
      // Its answers are not those to what follows, should there be no other.
      channel = null;
      open = Confirms.open(connection);
      channel = open;
    }
    return open;
  }

  @Override
  public void close() {
    Connections.close(connection);
  }
}
