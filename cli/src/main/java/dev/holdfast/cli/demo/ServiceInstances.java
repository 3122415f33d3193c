package dev.holdfast.cli.demo;

import dev.holdfast.HoldfastException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntFunction;
import java.util.stream.Collectors;

/**
 * The instances of a service, of which one is killed while the other goes on, as it is run where it
 * matters. There may be none.
 */
final class ServiceInstances implements AutoCloseable {
  private static final Duration LONGEST_START = Duration.ofSeconds(60);

  private final Service service;
  private final List<Integer> ports = new ArrayList<>();
  private final List<ServiceProcess> processes = new ArrayList<>();

  /**
   * @param address of an instance, given its port
   * @param logs the directory of their logs
   */
  ServiceInstances(
      Service service,
      StrategyKind kind,
      IntFunction<Wiring.Address> address,
      Map<String, String> environment,
      Path logs) {
    this.service = service;
    for (int instance = 0; instance < service.instances(kind); instance++) {
      int port = freePort();
      ports.add(port);
      processes.add(
          new ServiceProcess(
              address.apply(port),
              environment,
              logs.resolve("%s-%s-%d.log".formatted(kind.id(), service.label(), instance))));
    }
  }

  List<Integer> ports() {
    return ports;
  }

  /** Returns when all of them listen. */
  void start() throws InterruptedException {
    processes.forEach(ServiceProcess::start);
    boolean up = Timing.until(LONGEST_START, Duration.ofMillis(20), this::areUp);
    if (!up) {
      throw new HoldfastException(
          "The service %s did not start within %d s, so the demo was ended. The end of its log:\n%s"
              .formatted(service.label(), LONGEST_START.toSeconds(), lastWords()));
    }
  }

  /** Whether all of them listen. */
  boolean areUp() {
    return ports.stream().allMatch(ServiceInstances::listens);
  }

  private static boolean listens(int port) {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return socket.isConnected();
    } catch (IOException e) {
      return false;
    }
  }

  void kill(int instance) {
    processes.get(instance).kill();
  }

  int kills() {
    return processes.stream().mapToInt(ServiceProcess::kills).sum();
  }

  String lastWords() {
    return processes.stream().map(ServiceProcess::lastWords).collect(Collectors.joining("\n"));
  }

  @Override
  public void close() {
    processes.forEach(ServiceProcess::close);
  }

  /**
   * A port below the range of outgoing connections: while its service is down, a client's
   * connection from that range could otherwise take it, and even connect to itself.
   */
  private static int freePort() {
    Random random = new Random();
    for (int attempt = 0; attempt < 100; attempt++) {
      int port = 15_000 + random.nextInt(15_000);
      try (ServerSocket socket = new ServerSocket()) {
        socket.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), port));
        return port;
      } catch (IOException e) {
        // Taken: try another.
      }
    }
    throw new HoldfastException(
        "No free port was found between 15000 and 30000, so the demo was not begun. End programs"
            + " that listen there.");
  }
}
