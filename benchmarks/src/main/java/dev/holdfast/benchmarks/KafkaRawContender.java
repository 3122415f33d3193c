package dev.holdfast.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.zaxxer.hikari.HikariDataSource;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * The floor: the producer alone, with records of the same form in transactions of the same size. It
 * reads no database, and it has the machine to itself.
 */
final class KafkaRawContender implements Contender {
  private static final int TRANSACTION = 5_000;

  @Override
  public String name() {
    return "kafka-raw";
  }

  @Override
  public String guarantee() {
    return "none: there is no outbox";
  }

  @Override
  public void fill(HikariDataSource dataSource, String topic, int messages, int bytes) {}

  @Override
  public void drain(
      HikariDataSource dataSource, String bootstrapServers, String topic, int messages, int bytes) {
    Map<String, Object> config = new HashMap<>();
    config.put("bootstrap.servers", bootstrapServers);
    config.put("acks", "all");
    config.put("batch.size", 256 * 1024);
    config.put("compression.type", "lz4");
    config.put("retry.backoff.ms", 1);
    config.put("transactional.id", "raw-" + topic);
    SplittableRandom random = new SplittableRandom(1);
    byte[][] payloads = new byte[1000][];
    Arrays.setAll(payloads, i -> Payload.of(bytes, random));
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer())) {
      producer.initTransactions();
      for (int done = 0; done < messages; ) {
        producer.beginTransaction();
        for (int i = 0; i < TRANSACTION && done < messages; i++, done++) {
          producer.send(
              new ProducerRecord<>(
                  topic,
                  null,
                  ("key-" + done % 1000).getBytes(UTF_8),
                  payloads[done % 1000],
                  headers()));
        }
        producer.commitTransaction();
      }
    }
  }

  /** As many and as long as a message's. */
  private static RecordHeaders headers() {
    RecordHeaders headers = new RecordHeaders();
    headers.add("ce_specversion", "1.0".getBytes(UTF_8));
    headers.add("ce_id", UUID.randomUUID().toString().getBytes(UTF_8));
    headers.add("ce_source", "/holdfast/bench".getBytes(UTF_8));
    headers.add("ce_type", "bench".getBytes(UTF_8));
    headers.add("ce_time", "2026-11-01T00:00:00.000Z".getBytes(UTF_8));
    headers.add("content-type", "application/octet-stream".getBytes(UTF_8));
    headers.add("ce_operationid", "bench".getBytes(UTF_8));
    return headers;
  }
}
