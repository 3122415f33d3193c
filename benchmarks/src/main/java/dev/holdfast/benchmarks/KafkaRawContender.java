package dev.holdfast.benchmarks;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * The floor of a drain: the producer alone, with records of the same form in transactions of the
 * same size. It reads no database, and it has the machine to itself.
 */
final class KafkaRawContender implements Contender {
  @Override
  public String name() {
    return "kafka-raw";
  }

  @Override
  public Set<Mode> modes() {
    return EnumSet.allOf(Mode.class);
  }

  @Override
  public boolean takesPart(Measurement measurement) {
    return measurement == Measurement.DRAIN;
  }

  @Override
  public String participation() {
    return "in drain and drain_plain only, there is no database";
  }

  @Override
  public String guarantee(Mode mode) {
    return "none: a floor, there is no outbox";
  }

  @Override
  public Map<String, String> settings() {
    return Map.of("records_per_transaction", Integer.toString(BestSettings.KAFKA_RAW_TRANSACTION));
  }

  @Override
  public int backlog(int messages) {
    return messages;
  }

  @Override
  public Entry enter(Venue venue) {
    return new Participation(venue);
  }

  private static final class Participation implements Entry {
    private final Venue venue;
    private final Sender sender;
    private int messages;
    private @Nullable Background thread;

    Participation(Venue venue) {
      this.venue = venue;
      Map<String, Object> settings = BestSettings.producer(venue.bootstrapServers());
      if (venue.mode() == Mode.TRANSACTIONAL) {
        settings.put("transactional.id", "raw-" + venue.topic());
      }
      this.sender = new Sender(venue, settings);
    }

    @Override
    public void fill(int count) {
      this.messages = count;
    }

    @Override
    public void start(boolean relay) {
      thread = Background.start("kafka-raw", this::sendAll);
    }

    private void sendAll(Background.Running running) {
      KafkaProducer<byte[], byte[]> producer = sender.producer();
      boolean transactional = venue.mode() == Mode.TRANSACTIONAL;
      if (transactional) {
        producer.initTransactions();
      }
      for (int done = 0; done < messages && running.isWanted(); ) {
        if (transactional) {
          producer.beginTransaction();
        }
        int end = Math.min(messages, done + BestSettings.KAFKA_RAW_TRANSACTION);
        int count = end - done;
        for (; done < end; done++) {
          producer.send(
              new ProducerRecord<>(
                  venue.topic(),
                  null,
                  Payload.key(done).getBytes(UTF_8),
                  Payload.of(done),
                  headers()));
        }
        if (transactional) {
          producer.commitTransaction();
        } else {
          producer.flush();
        }
        sender.delivered(count);
      }
    }

    /** As many and as long as those of Holdfast's records. */
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

    @Override
    public void commit(long number) {
      throw new UnsupportedOperationException("there is no database");
    }

    @Override
    public long delivered() {
      return sender.delivered();
    }

    @Override
    public void close() {
      if (thread != null) {
        thread.close();
      }
      sender.close();
    }
  }
}
