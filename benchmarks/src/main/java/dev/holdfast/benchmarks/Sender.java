package dev.holdfast.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.Map;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** The producer of those contenders that leave sending to the user. Thread-safe. */
final class Sender implements AutoCloseable {
  private final KafkaProducer<byte[], byte[]> producer;
  private final String topic;
  private final AtomicLong delivered = new AtomicLong();

  Sender(Venue venue) {
    this(venue, BestSettings.producer(venue.bootstrapServers()));
  }

  Sender(Venue venue, Map<String, Object> settings) {
    this.topic = venue.topic();
    this.producer =
        new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer());
  }

  /** For threads that each {@linkplain #sendAndWait wait} for their record. */
  static Sender oneByOne(Venue venue) {
    return new Sender(venue, BestSettings.oneByOneProducer(venue.bootstrapServers()));
  }

  KafkaProducer<byte[], byte[]> producer() {
    return producer;
  }

  /** Hands a record to the producer. */
  Future<RecordMetadata> send(String key, byte[] payload) {
    return producer.send(new ProducerRecord<>(topic, key.getBytes(UTF_8), payload));
  }

  /** Sends one and waits for its acknowledgment. */
  void sendAndWait(String key, byte[] payload) {
    await(send(key, payload));
    delivered(1);
  }

  static void await(Future<RecordMetadata> sent) {
    try {
      sent.get();
    } catch (ExecutionException e) {
      throw new BenchmarkFailure("Kafka refused a record of the benchmark", e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new BenchmarkFailure("Interrupted while waiting for Kafka", e);
    }
  }

  /** So many more are acknowledged. */
  void delivered(int count) {
    delivered.addAndGet(count);
  }

  long delivered() {
    return delivered.get();
  }

  @Override
  public void close() {
    producer.close();
  }
}
