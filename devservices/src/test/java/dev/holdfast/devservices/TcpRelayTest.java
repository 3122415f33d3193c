package dev.holdfast.devservices;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

final class TcpRelayTest {
  /** What the echo server has received, byte by byte. */
  private final BlockingQueue<Integer> received = new LinkedBlockingQueue<>();

  @SuppressWarnings("NullAway.Init")
  private ServerSocket echo;

  @SuppressWarnings("NullAway.Init")
  private TcpRelay relay;

  @BeforeEach
  void start() throws IOException {
    echo = new ServerSocket(0, 50, Ports.loopback());
    TcpRelay.daemon("echo", this::serve);
    relay = TcpRelay.to("127.0.0.1", echo.getLocalPort());
  }

  @AfterEach
  void stop() throws IOException {
    relay.close();
    echo.close();
  }

  @Test
  void passesBytesAndTheEndOfTheStream() throws IOException {
    try (Socket client = connect()) {
      byte[] sent = new byte[300_000];
      sent[299_999] = 7;
      TcpRelay.daemon(
          "sender",
          () -> {
            try {
              client.getOutputStream().write(sent);
              client.shutdownOutput();
            } catch (IOException e) {
              throw new IllegalStateException(e);
            }
          });
      assertThat(client.getInputStream().readAllBytes()).isEqualTo(sent);
    }
  }

  @Test
  void cutResetsConnectionsAndRefusesNewOnesUntilRestored() throws IOException {
    try (Socket client = connect()) {
      assertThat(roundTrip(client, 1)).isEqualTo(1);
      relay.cut();
      assertThatThrownBy(() -> client.getInputStream().read()).isInstanceOf(IOException.class);
    }
    assertThatThrownBy(
            () -> {
              try (Socket refused = connect()) {
                if (roundTrip(refused, 2) < 0) {
                  throw new IOException("end of stream");
                }
              }
            })
        .isInstanceOf(IOException.class);
    relay.restore();
    try (Socket client = connect()) {
      assertThat(roundTrip(client, 3)).isEqualTo(3);
    }
  }

  @Test
  void delaysEachDirection() throws IOException {
    try (Socket client = connect()) {
      roundTrip(client, 1);
      relay.delay(Duration.ofMillis(100));
      long start = System.nanoTime();
      assertThat(roundTrip(client, 2)).isEqualTo(2);
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isGreaterThanOrEqualTo(Duration.ofMillis(200));
      // With it the answer would come in four minutes.
      relay.delay(Duration.ofMinutes(2));
      relay.delay(Duration.ZERO);
      client.setSoTimeout(60_000);
      assertThat(roundTrip(client, 3)).isEqualTo(3);
    }
  }

  @Test
  void aDelayDoesNotAddUpOverChunks() throws IOException {
    try (Socket client = connect()) {
      relay.delay(Duration.ofSeconds(1));
      long start = System.nanoTime();
      for (int sent = 0; sent < 20; sent++) {
        client.getOutputStream().write(sent);
      }
      for (int sent = 0; sent < 20; sent++) {
        assertThat(client.getInputStream().read()).isEqualTo(sent);
      }
      // Added up it would be twenty seconds, one way.
      assertThat(Duration.ofNanos(System.nanoTime() - start))
          .isBetween(Duration.ofSeconds(2), Duration.ofSeconds(15));
    }
  }

  @Test
  void swallowsTheRepliesOfExistingConnections() throws Exception {
    try (Socket client = connect();
        Socket later = new Socket()) {
      roundTrip(client, 1);
      relay.swallowReplies();
      client.setSoTimeout(200);
      assertThatThrownBy(() -> roundTrip(client, 2)).isInstanceOf(SocketTimeoutException.class);
      assertThat(received.poll(5, TimeUnit.SECONDS)).isEqualTo(1);
      assertThat(received.poll(5, TimeUnit.SECONDS)).isEqualTo(2);

      later.connect(new InetSocketAddress(Ports.loopback(), relay.port()));
      assertThat(roundTrip(later, 3)).isEqualTo(3);
      relay.restore();
      client.setSoTimeout(5_000);
      assertThat(roundTrip(client, 4)).isEqualTo(4);
    }
  }

  @Test
  void swallowsOneReplyAfterTheServerHasDoneTheWork() throws Exception {
    try (Socket client = connect();
        Socket other = connect()) {
      roundTrip(client, 1);
      roundTrip(other, 2);
      received.clear();
      relay.swallowNextReply();
      assertThatThrownBy(() -> roundTrip(client, 3)).isInstanceOf(IOException.class);
      assertThat(received.poll(5, TimeUnit.SECONDS)).isEqualTo(3);
      assertThat(relay.lostReplies()).isEqualTo(1);
      assertThat(roundTrip(other, 4)).isEqualTo(4);
    }
  }

  @Test
  void breaksTheConnectionWhenTheServerIsDown() throws IOException {
    int port = echo.getLocalPort();
    echo.close();
    // Its thread may still be about to leave accept().
    Await.until(Duration.ofSeconds(10), () -> Ports.isFree(port), () -> "It still listens.");
    try (Socket client = connect()) {
      assertThatThrownBy(
              () -> {
                if (roundTrip(client, 1) < 0) {
                  throw new IOException("end of stream");
                }
              })
          .isInstanceOf(IOException.class);
    }
  }

  private Socket connect() throws IOException {
    Socket socket = new Socket(Ports.loopback(), relay.port());
    socket.setTcpNoDelay(true);
    socket.setSoTimeout(10_000);
    return socket;
  }

  private static int roundTrip(Socket client, int value) throws IOException {
    client.getOutputStream().write(value);
    return client.getInputStream().read();
  }

  private void serve() {
    while (!echo.isClosed()) {
      try {
        Socket client = echo.accept();
        TcpRelay.daemon("echo-connection", () -> echo(client));
      } catch (IOException e) {
        // Closed at the end of the test.
      }
    }
  }

  private void echo(Socket client) {
    try (client) {
      byte[] buffer = new byte[1 << 16];
      for (int n = client.getInputStream().read(buffer);
          n >= 0;
          n = client.getInputStream().read(buffer)) {
        for (int i = 0; n < 100 && i < n; i++) {
          received.add((int) buffer[i]);
        }
        client.getOutputStream().write(buffer, 0, n);
      }
    } catch (IOException e) {
      // Cut by the relay.
    }
  }
}
