package dev.holdfast.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.TargetUnavailable;
import dev.holdfast.outbox.store.OutboxRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;

/**
 * A leader's session: every batch is one Kafka transaction together with the progress record. A
 * message that is refused for what it is aborts the transaction; anything else ends the session,
 * since the outcome of its last transaction is then only to be learned from the progress record.
 */
final class TransactionalSession implements TargetSession {
  private final KafkaProducer<byte[], byte[]> producer;
  private final Settings settings;
  private final String scope;
  private final Encoder encoder;
  private final Topics topics;
  private final TopicPartition progressPartition;

  private TransactionalSession(
      KafkaProducer<byte[], byte[]> producer,
      Settings settings,
      String scope,
      Encoder encoder,
      Topics topics) {
    this.producer = producer;
    this.settings = settings;
    this.scope = scope;
    this.encoder = encoder;
    this.topics = topics;
    this.progressPartition =
        Progress.partition(
            settings.progressTopic(),
            scope,
            producer.partitionsFor(settings.progressTopic()).size());
  }

  static TransactionalSession open(
      Settings settings, Target.Context context, Encoder encoder, Topics topics) {
    KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(settings.transactionalProducer("holdfast-" + context.scope()));
    try {
      producer.initTransactions();
      return new TransactionalSession(producer, settings, context.scope(), encoder, topics);
    } catch (KafkaException e) {
      producer.close(Duration.ZERO);
      throw e;
    }
  }

  @Override
  public Optional<String> progress() {
    try (Progress progress = new Progress(settings, scope)) {
      return progress.read(Progress.UpTo.HIGH_WATERMARK);
    } catch (KafkaException e) {
      throw new TargetUnavailable(
          "Kafka did not give the progress record (" + e.getMessage() + "). It is tried again.", e);
    }
  }

  @Override
  public Delivery send(List<OutboxRecord> messages, String progress) {
    try {
      Map<Long, String> refused = new HashMap<>();
      Map<String, String> unusable = topics.unusable(messages);
      List<ProducerRecord<byte[], byte[]>> records = new ArrayList<>(messages.size());
      for (OutboxRecord message : messages) {
        ProducerRecord<byte[], byte[]> record = encoder.encode(message);
        String reason = unusable.get(message.topic());
        reason = reason == null ? encoder.tooLarge(record) : reason;
        if (reason != null) {
          refused.put(message.position(), reason);
        }
        records.add(record);
      }
      return refused.isEmpty()
          ? transact(messages, records, progress)
          : new Delivery.Refused(refused, Set.of());
    } catch (KafkaException e) {
      return Failures.sessionOver(e);
    }
  }

  private Delivery transact(
      List<OutboxRecord> messages, List<ProducerRecord<byte[], byte[]>> records, String progress) {
    Map<Long, String> refused = new ConcurrentHashMap<>();
    producer.beginTransaction();
    try {
      for (int i = 0; i < messages.size(); i++) {
        long position = messages.get(i).position();
        producer.send(
            records.get(i),
            (metadata, error) -> {
              String reason = error == null ? null : Failures.refusal(error);
              if (reason != null) {
                refused.put(position, reason);
              }
            });
      }
      producer.send(
          new ProducerRecord<>(
              progressPartition.topic(),
              progressPartition.partition(),
              scope.getBytes(UTF_8),
              progress.getBytes(UTF_8)));
      producer.commitTransaction();
      return new Delivery.Done();
    } catch (KafkaException e) {
      Delivery over = Failures.sessionOver(e);
      if (over instanceof Delivery.Fenced || refused.isEmpty()) {
        return over;
      }
      producer.abortTransaction();
      topics.forget();
      return new Delivery.Refused(Map.copyOf(refused), Set.of());
    }
  }

  @Override
  public void close() {
    // Whatever is uncommitted is aborted by the next leader or by the broker's timeout.
    producer.close(Duration.ZERO);
    topics.close();
  }
}
