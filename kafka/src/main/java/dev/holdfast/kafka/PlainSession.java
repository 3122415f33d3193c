package dev.holdfast.kafka;

import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * An idempotent producer without transactions: at least once, in order.
 *
 * <p>A batch is sent in waves that contain each lane once, and a wave is acknowledged before the
 * next begins: were two messages of one key under way together, the second could arrive although
 * the first was refused.
 */
final class PlainSession implements TargetSession {
  private final KafkaProducer<byte[], byte[]> producer;
  private final Encoder encoder;
  private final Topics topics;

  PlainSession(Settings settings, Encoder encoder) {
    this.producer = new KafkaProducer<>(settings.producer());
    this.encoder = encoder;
    this.topics = new Topics(Admin.create(settings.admin()));
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
    try {
      Map<Long, String> refused = new ConcurrentHashMap<>();
      Set<Long> delivered = ConcurrentHashMap.newKeySet();
      Set<String> stopped = new HashSet<>();
      Map<String, String> unusable = topics.unusable(messages);
      List<OutboxRecord> waiting = messages;
      while (!waiting.isEmpty()) {
        List<OutboxRecord> wave = new ArrayList<>();
        waiting = split(waiting, stopped, wave);
        AtomicReference<Throwable> failure = new AtomicReference<>();
        for (OutboxRecord message : wave) {
          send(message, unusable.get(message.topic()), refused, delivered, failure);
        }
        producer.flush();
        Throwable failed = failure.get();
        if (failed != null) {
          // What shared a request with a refused message fails with it, without a reason of its
          // own:
          // once the refused one is parked it is sent again.
          return refused.isEmpty()
              ? Failures.sessionOver(failed)
              : new Delivery.Refused(new HashMap<>(refused), Set.copyOf(delivered));
        }
        for (OutboxRecord message : wave) {
          if (refused.containsKey(message.position())) {
            stopped.add(message.lane());
          }
        }
      }
      return refused.isEmpty()
          ? new Delivery.Done()
          : new Delivery.Refused(new HashMap<>(refused), Set.copyOf(delivered));
    } catch (KafkaException e) {
      return Failures.sessionOver(e);
    }
  }

  /** Puts the first message of each lane into the wave and returns the rest, in order. */
  private static List<OutboxRecord> split(
      List<OutboxRecord> messages, Set<String> stopped, List<OutboxRecord> wave) {
    Set<String> lanes = new HashSet<>();
    List<OutboxRecord> rest = new ArrayList<>();
    for (OutboxRecord message : messages) {
      String lane = message.lane();
      if (!stopped.contains(lane)) {
        (lanes.add(lane) ? wave : rest).add(message);
      }
    }
    return rest;
  }

  private void send(
      OutboxRecord message,
      @Nullable String unusable,
      Map<Long, String> refused,
      Set<Long> delivered,
      AtomicReference<Throwable> failure) {
    ProducerRecord<byte[], byte[]> record = encoder.encode(message);
    String early = unusable == null ? encoder.tooLarge(record) : unusable;
    if (early != null) {
      refused.put(message.position(), early);
      return;
    }
    producer.send(
        record,
        (metadata, error) -> {
          if (error == null) {
            delivered.add(message.position());
            return;
          }
          String reason = Failures.refusal(error);
          if (reason == null) {
            failure.compareAndSet(null, error);
          } else {
            refused.put(message.position(), reason);
          }
        });
  }

  @Override
  public void close() {
    producer.close(Duration.ZERO);
    topics.close();
  }
}
