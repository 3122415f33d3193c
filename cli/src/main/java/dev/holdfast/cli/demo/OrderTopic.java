package dev.holdfast.cli.demo;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.serialization.StringSerializer;

/** Sends as safely as a producer without transactions can: idempotent, to all replicas, awaited. */
final class OrderTopic implements AutoCloseable {
  private final String name;
  private final Producer<String, String> producer;

  OrderTopic(Wiring wiring) {
    Map<String, Object> config = new HashMap<>(wiring.producerConfig());
    config.put("acks", "all");
    config.put("enable.idempotence", true);
    this.name = wiring.topic();
    this.producer = new KafkaProducer<>(config, new StringSerializer(), new StringSerializer());
  }

  /** Returns when the broker has acknowledged. */
  void send(String key, String value) throws InterruptedException, Strategy.MessageNotSent {
    try {
      producer.send(new ProducerRecord<>(name, key, value)).get();
    } catch (ExecutionException | KafkaException e) {
      throw new Strategy.MessageNotSent(e);
    }
  }

  @Override
  public void close() {
    producer.close();
  }
}
