package dev.holdfast.crashtest;

import dev.holdfast.crashtest.resource.Hook;
import dev.holdfast.crashtest.resource.HttpResource;
import dev.holdfast.crashtest.resource.JdbcResource;
import dev.holdfast.crashtest.resource.JmsResource;
import dev.holdfast.crashtest.resource.KafkaAddress;
import dev.holdfast.crashtest.resource.KafkaBroker;
import dev.holdfast.crashtest.resource.KafkaConsumerResource;
import dev.holdfast.crashtest.resource.KafkaProducerResource;
import dev.holdfast.crashtest.resource.RelayedAddress;
import dev.holdfast.crashtest.resource.TargetResource;
import dev.holdfast.outbox.Target;
import jakarta.jms.ConnectionFactory;
import java.net.http.HttpClient;
import java.sql.DriverManager;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import javax.sql.DataSource;
import org.apache.kafka.clients.consumer.Consumer;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serializer;

/**
 * What one process may use of the outside world. The lab gives a new one to each process that it
 * starts; what is made through it dies with that process. What is not made through it is neither
 * explored nor crashed.
 *
 * <p>Names are the same in every process; {@link Expectation}s look resources up by them.
 */
public final class Resources {
  // Nothing here may need a class of Kafka or JMS to be verified: users without them load this one.

  private final Incarnation process;
  private final Truths truths;
  private final Map<String, RelayedAddress> addresses = new ConcurrentHashMap<>();

  Resources(Incarnation process, Truths truths) {
    this.process = process;
    this.truths = truths;
  }

  /**
   * A database, each connection a new one; build a pool on top when the code wants one. It can lose
   * answers.
   */
  public DataSource dataSource(String name, String jdbcUrl) {
    truths.registerDatabase(name, () -> DriverManager.getConnection(jdbcUrl));
    return JdbcResource.of(name, process, jdbcUrl);
  }

  /**
   * A database behind a data source of yours, which may be a pool that lives as long as the JVM:
   * only its connections die with the process. It cannot lose answers, see {@link
   * #dataSource(String, String)}.
   */
  public DataSource dataSource(String name, DataSource real) {
    truths.registerDatabase(name, real::getConnection);
    return JdbcResource.of(name, process, real);
  }

  /**
   * A producer of strings.
   *
   * @param config without {@code bootstrap.servers}, which are the broker's
   */
  public Producer<String, String> producer(String name, KafkaBroker broker, Map<String, ?> config) {
    truths.register(name, () -> new KafkaTruth(broker.direct()));
    return KafkaProducerResource.ofStrings(name, process, broker, config);
  }

  /** A producer. */
  public <K, V> Producer<K, V> producer(
      String name,
      KafkaBroker broker,
      Map<String, ?> config,
      Serializer<K> keys,
      Serializer<V> values) {
    truths.register(name, () -> new KafkaTruth(broker.direct()));
    return KafkaProducerResource.of(name, process, broker, config, keys, values);
  }

  /**
   * A consumer of strings.
   *
   * @param config without {@code bootstrap.servers}, and with {@code enable.auto.commit=false} when
   *     it has a group
   */
  public Consumer<String, String> consumer(String name, KafkaBroker broker, Map<String, ?> config) {
    truths.register(name, () -> new KafkaTruth(broker.direct()));
    return KafkaConsumerResource.ofStrings(name, process, broker, config);
  }

  /** A consumer. */
  public <K, V> Consumer<K, V> consumer(
      String name,
      KafkaBroker broker,
      Map<String, ?> config,
      Deserializer<K> keys,
      Deserializer<V> values) {
    truths.register(name, () -> new KafkaTruth(broker.direct()));
    return KafkaConsumerResource.of(name, process, broker, config, keys, values);
  }

  /**
   * The {@code bootstrap.servers} of this process, for code that makes its Kafka clients itself.
   * Their network is cut when the process crashes, but what they do is no commit point. It must
   * close them when the application is closed, or by {@link #onStop}: the next process gets the
   * network when that is done, and clients left open then would speak for the dead.
   *
   * @param broker one that is behind a relay; at others nothing is cut
   */
  public String bootstrapServers(String name, KafkaBroker broker) {
    truths.register(name, () -> new KafkaTruth(broker.direct()));
    CompletableFuture<Void> closed = new CompletableFuture<>();
    process.onStop(() -> closed.complete(null));
    return KafkaAddress.of(process, broker, closed);
  }

  /**
   * What a channel of Holdfast delivers to: each delivery of messages is a commit point of the
   * relay.
   *
   * @param real made with the {@link #bootstrapServers} of the same broker
   */
  public Target target(String name, KafkaBroker broker, Target real) {
    truths.register(name, () -> new KafkaTruth(broker.direct()));
    return TargetResource.of(name, process, broker, real);
  }

  /**
   * A target that is not at Kafka. Its network is cut in a crash if it was made with an {@link
   * #address}; otherwise a call that is under way when the process crashes may still come through,
   * as it may in reality. {@link Expect#effect} looks at what it has.
   */
  public Target target(String name, Target real) {
    truths.register(name, ServiceTruth::new);
    return TargetResource.of(name, process, real);
  }

  /**
   * A server's address for this process, as {@code host:port}: a relay, which is cut when the
   * process crashes. A {@link #connectionFactory} under the same name can then lose answers.
   */
  public String address(String name, String host, int port) {
    truths.register(name, ServiceTruth::new);
    RelayedAddress address = RelayedAddress.of(process, host, port);
    addresses.put(name, address);
    return address.toString();
  }

  /** A JMS provider; make {@code real} with an {@link #address} of the same name if you can. */
  public ConnectionFactory connectionFactory(String name, ConnectionFactory real) {
    truths.register(name, ServiceTruth::new);
    return JmsResource.of(name, process, real, addresses.get(name));
  }

  /** HTTP services behind a client of yours, which may live as long as the JVM. */
  public HttpClient httpClient(String name, HttpClient real) {
    truths.register(name, ServiceTruth::new);
    return HttpResource.of(name, process, real);
  }

  /**
   * What to close when the process stops in order; the latest first. Also on a dead one, fenced.
   */
  public void onStop(AutoCloseable closeable) {
    process.onStop(closeable);
  }

  /** The process, for wrapping a resource that the lab does not know, under this name. */
  public Hook hook(String name) {
    truths.register(name, ServiceTruth::new);
    return process;
  }
}
