package dev.holdfast.devservices;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Chooses free ports below the range that the kernel uses for outgoing connections (32768 and up by
 * default). A port in that range could be taken, while its server is down, by any client's outgoing
 * connection, even by one that tries to reach the server: TCP lets it connect to itself.
 */
final class Ports {
  private static final int LOWEST = 15_000;
  private static final int BEYOND = 32_000;
  private static final int ATTEMPTS = 200;

  private Ports() {}

  static int free() {
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      int port = ThreadLocalRandom.current().nextInt(LOWEST, BEYOND);
      if (isFree(port)) {
        return port;
      }
    }
    throw new DevServiceException(
        "No free port found between %d and %d in %d attempts. Choose one with port(int)."
            .formatted(LOWEST, BEYOND, ATTEMPTS));
  }

  static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket()) {
      socket.setReuseAddress(true);
      socket.bind(new InetSocketAddress(loopback(), port));
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  static InetAddress loopback() {
    try {
      return InetAddress.getByAddress(new byte[] {127, 0, 0, 1});
    } catch (IOException e) {
      throw new AssertionError("four bytes are an address", e);
    }
  }
}
