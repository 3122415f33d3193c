package dev.holdfast.postgres;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Counts round trips where they happen, on the wire: a request is what a client sends after the
 * server's last word.
 */
public final class RoundTrips implements AutoCloseable {
  private final ServerSocket listener;
  private final int serverPort;
  private final AtomicInteger count = new AtomicInteger();

  public RoundTrips(int serverPort) {
    this.serverPort = serverPort;
    try {
      this.listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    daemon(this::accept);
  }

  public String jdbcUrl() {
    return "jdbc:postgresql://127.0.0.1:"
        + listener.getLocalPort()
        + "/postgres?user=postgres&sslmode=disable&gssEncMode=disable";
  }

  /** The round trips until now. */
  public int count() {
    return count.get();
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        Socket server = new Socket(InetAddress.getLoopbackAddress(), serverPort);
        client.setTcpNoDelay(true);
        server.setTcpNoDelay(true);
        AtomicBoolean serverSpokeLast = new AtomicBoolean(true);
        daemon(() -> copy(client, server, serverSpokeLast, true));
        daemon(() -> copy(server, client, serverSpokeLast, false));
      } catch (IOException e) {
        // Closed, which ends the loop.
      }
    }
  }

  private void copy(Socket from, Socket to, AtomicBoolean serverSpokeLast, boolean request) {
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] buffer = new byte[1 << 16];
      for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
        if (request) {
          if (serverSpokeLast.compareAndSet(true, false)) {
            count.incrementAndGet();
          }
        } else {
          serverSpokeLast.set(true);
        }
        out.write(buffer, 0, length);
      }
    } catch (IOException e) {
      // The other side has gone.
    }
  }

  private static void daemon(Runnable task) {
    Thread thread = new Thread(task, "round-trips");
    thread.setDaemon(true);
    thread.start();
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
