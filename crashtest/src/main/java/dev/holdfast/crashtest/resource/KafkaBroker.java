package dev.holdfast.crashtest.resource;

import dev.holdfast.devservices.KafkaServer;
import dev.holdfast.devservices.TcpRelay;
import org.jspecify.annotations.Nullable;

/**
 * A Kafka cluster, and the network through which processes under test reach it. A broker tells its
 * clients where to connect, so the relay has to be where the broker says; it serves one process at
 * a time.
 */
public final class KafkaBroker {
  private final String direct;
  private final String forProcesses;
  private final @Nullable TcpRelay relay;

  private KafkaBroker(String direct, String forProcesses, @Nullable TcpRelay relay) {
    this.direct = direct;
    this.forProcesses = forProcesses;
    this.relay = relay;
  }

  /** A server that was built with {@link KafkaServer.Builder#relayed}. */
  public static KafkaBroker of(KafkaServer server) {
    return behind(server.relay(), server.relayedBootstrapServers(), server.bootstrapServers());
  }

  /**
   * Brokers whose listener for processes is advertised at a relay's port.
   *
   * @param relay what the network of a process is cut with
   * @param forProcesses the {@code bootstrap.servers} of processes: the relay
   * @param direct those of the lab: past the relay
   */
  public static KafkaBroker behind(TcpRelay relay, String forProcesses, String direct) {
    return new KafkaBroker(direct, forProcesses, relay);
  }

  /**
   * Brokers as they are. A crash closes the clients of a process without flushing, but cannot cut
   * their network, so that what a client's I/O thread is just sending may still arrive, as it may
   * in a real crash. No answer can be lost.
   */
  public static KafkaBroker at(String bootstrapServers) {
    return new KafkaBroker(bootstrapServers, bootstrapServers, null);
  }

  /** The {@code bootstrap.servers} of the lab itself. */
  public String direct() {
    return direct;
  }

  String forProcesses() {
    return forProcesses;
  }

  @Nullable TcpRelay relay() {
    return relay;
  }

  void cut() {
    if (relay != null) {
      relay.cut();
    }
  }

  void restore() {
    if (relay != null) {
      relay.restore();
    }
  }
}
