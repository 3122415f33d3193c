package dev.holdfast.kafka;

import static java.nio.charset.StandardCharsets.UTF_8;

import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * A leader's session: every batch is one Kafka transaction together with the progress record. A
 * message that is refused for what it is aborts the transaction; anything else ends the session,
 * since the outcome of its last transaction is then only to be learned from the progress record.
 */
final class TransactionalSession implements TargetSession {
  private final Settings settings;
  private final Target.Context context;
  private final Encoder encoder;
  private final Topics topics;
  private final Progress progress;
  private final KafkaProducer<byte[], byte[]> producer;
  private @Nullable TopicPartition progressPartition;

  private TransactionalSession(
      Settings settings,
      Target.Context context,
      Encoder encoder,
      Topics topics,
      Progress progress,
      KafkaProducer<byte[], byte[]> producer) {
    this.settings = settings;
    this.context = context;
    this.encoder = encoder;
    this.topics = topics;
    this.progress = progress;
    this.producer = producer;
  }

  static TransactionalSession open(Settings settings, Target.Context context, Encoder encoder) {
    Admin admin = Admin.create(settings.admin());
    Progress progress = null;
    try {
      progress = new Progress(settings, context.scope(), admin);
      return new TransactionalSession(
          settings,
          context,
          encoder,
          new Topics(admin),
          progress,
          new KafkaProducer<>(settings.transactionalProducer("holdfast-" + context.scope())));
    } catch (KafkaException e) {
      if (progress != null) {
        progress.close();
      }
      admin.close(Duration.ZERO);
      throw e;
    }
  }

  @Override
  public Optional<String> peekProgress() {
    try {
      // A dead leader's transaction may be open until we fence it: do not wait for it here.
      return progress.read(Progress.UpTo.LAST_STABLE);
    } catch (KafkaException e) {
      throw KafkaTarget.unavailable(settings, "read the progress of", context.channel(), e);
    }
  }

  @Override
  public void takeOver() {
    try {
      producer.initTransactions();
      progressPartition =
          Progress.partition(
              settings.progressTopic(),
              context.scope(),
              producer.partitionsFor(settings.progressTopic()).size());
    } catch (KafkaException e) {
      throw KafkaTarget.unavailable(settings, "take over", context.channel(), e);
    }
  }

  @Override
  public Optional<String> progress() {
    try {
      return progress.read(Progress.UpTo.HIGH_WATERMARK);
    } catch (KafkaException e) {
      throw KafkaTarget.unavailable(settings, "read the progress of", context.channel(), e);
    }
  }

  @Override
  public Delivery send(List<OutboxRecord> messages, String progressRecord) {
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
          ? transact(messages, records, progressRecord)
          : new Delivery.Refused(refused, Set.of());
    } catch (KafkaException e) {
      return Failures.sessionOver(e);
    }
  }

  private Delivery transact(
      List<OutboxRecord> messages,
      List<ProducerRecord<byte[], byte[]>> records,
      String progressRecord) {
    TopicPartition home = Objects.requireNonNull(progressPartition, "takeOver() comes first");
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
              home.topic(),
              home.partition(),
              context.scope().getBytes(UTF_8),
              progressRecord.getBytes(UTF_8)));
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
    progress.close();
    topics.close();
  }
}
