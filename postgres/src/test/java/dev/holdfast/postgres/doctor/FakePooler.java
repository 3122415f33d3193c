package dev.holdfast.postgres.doctor;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/**
 * Passes sessions on to a server as a pooler does: it tells clients a process id that it made up,
 * and no notification comes through.
 */
final class FakePooler implements AutoCloseable {
  private static final int MADE_UP = 42;

  private final ServerSocket listening;
  private final int target;
  private final boolean leftover;
  private final List<Closeable> open = new CopyOnWriteArrayList<>();

  /**
   * @param leftover whether sessions come with a statement that another client has prepared
   */
  FakePooler(int target, boolean leftover) throws IOException {
    this.target = target;
    this.leftover = leftover;
    this.listening = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    start(this::accept);
  }

  int port() {
    return listening.getLocalPort();
  }

  private interface Work {
    void run() throws IOException;
  }

  private static void start(Work work) {
    Thread thread =
        new Thread(
            () -> {
              try {
                work.run();
              } catch (IOException closed) {
                // the end of the session, or of the test
              }
            });
    thread.setDaemon(true);
    thread.start();
  }

  private void accept() throws IOException {
    while (true) {
      Socket client = listening.accept();
      Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
      // Small messages one after the other wait for acknowledgments otherwise.
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
      open.add(client);
      open.add(server);
      start(
          () -> {
            try (client;
                server) {
              client.getInputStream().transferTo(server.getOutputStream());
            }
          });
      start(
          () -> {
            try (client;
                server) {
              answers(
                  new DataInputStream(server.getInputStream()),
                  new DataOutputStream(new BufferedOutputStream(client.getOutputStream())),
                  new DataOutputStream(new BufferedOutputStream(server.getOutputStream())));
            }
          });
    }
  }

  /** Messages are a type, a length that counts itself, and the rest. */
  private void answers(DataInputStream in, DataOutputStream out, DataOutputStream toServer)
      throws IOException {
    boolean prepare = leftover;
    boolean swallow = false;
    while (true) {
      int type = in.read();
      if (type < 0) {
        throw new EOFException();
      }
      int length = in.readInt();
      byte[] body = in.readNBytes(length - 4);
      if (type == 'Z' && prepare) {
        prepare = false;
        swallow = true;
        byte[] query = ("prepare \"S_1\" as select 1" + (char) 0).getBytes(US_ASCII);
        toServer.write('Q');
        toServer.writeInt(query.length + 4);
        toServer.write(query);
        toServer.flush();
        continue;
      }
      swallow = swallow && type != 'Z';
      if (type == 'A' || swallow) {
        continue;
      }
      if (type == 'K') {
        body[0] = 0;
        body[1] = 0;
        body[2] = 0;
        body[3] = MADE_UP;
      }
      out.write(type);
      out.writeInt(length);
      out.write(body);
      out.flush();
    }
  }

  @Override
  public void close() throws IOException {
    listening.close();
    for (Closeable each : open) {
      each.close();
    }
  }
}
