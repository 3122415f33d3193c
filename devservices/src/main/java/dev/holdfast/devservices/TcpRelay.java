package dev.holdfast.devservices;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.time.Duration;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A TCP relay in front of a server, which loses what a network may lose: connections, replies, and
 * time. Clients connect to 127.0.0.1 and {@link #port} in place of the server.
 *
 * <p>{@link #swallowNextReply} makes the case that matters most in a dual write: the server has
 * done the work, and the client is not told.
 *
 * <p>Safe for use by several threads. The relay's threads are daemons, and end with {@link #close}.
 */
public final class TcpRelay implements AutoCloseable {
  private static final int CONNECT_TIMEOUT_MS = 10_000;
  private static final int BACKLOG = 200;

  private final InetSocketAddress target;
  private final ServerSocket listener;
  private final Set<RelayedConnection> connections = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean swallowNextReply = new AtomicBoolean();
  private final AtomicInteger lostReplies = new AtomicInteger();
  private volatile boolean cut;
  private volatile long delayNanos;

  private TcpRelay(InetSocketAddress target, ServerSocket listener) {
    this.target = target;
    this.listener = listener;
  }

  /**
   * Starts a relay to a server, which need not be running yet.
   *
   * @throws DevServiceException when no port can be listened on
   */
  public static TcpRelay to(String host, int port) {
    try {
      ServerSocket listener = new ServerSocket(Ports.free(), BACKLOG, Ports.loopback());
      TcpRelay relay = new TcpRelay(new InetSocketAddress(host, port), listener);
      daemon("relay-accept-" + relay.port(), relay::acceptLoop);
      return relay;
    } catch (IOException e) {
      throw new DevServiceException("Cannot start a TCP relay: " + e.getMessage(), e);
    }
  }

  /** Returns the port on 127.0.0.1 that clients connect to. */
  public int port() {
    return listener.getLocalPort();
  }

  /** Resets all connections on both sides, and every new one at once, until {@link #restore}. */
  public void cut() {
    cut = true;
    connections.forEach(RelayedConnection::abort);
  }

  /**
   * Relays as at first: accepts connections, passes replies on, and forgets an armed {@link
   * #swallowNextReply}. Replies already swallowed stay lost. A {@link #delay} stays in force.
   */
  public void restore() {
    swallowNextReply.set(false);
    connections.forEach(RelayedConnection::passReplies);
    cut = false;
  }

  /**
   * Delays the bytes of all connections, in each direction; a round trip takes twice that longer.
   * {@link Duration#ZERO} ends it. Bytes under way keep the delay they started with.
   */
  public void delay(Duration oneWay) {
    if (oneWay.isNegative()) {
      throw new IllegalArgumentException("A delay cannot be negative: " + oneWay);
    }
    delayNanos = oneWay.toNanos();
  }

  /**
   * Drops all bytes from the server to the client, on the connections that exist now, until {@link
   * #restore}. Those connections stay open: the client waits.
   */
  public void swallowReplies() {
    connections.forEach(RelayedConnection::swallowReplies);
  }

  /**
   * Arms the loss of one reply. The next request, on whichever connection, is passed to the server;
   * when the server answers, the answer is dropped and the connection reset on both sides. The
   * server has then done what was asked, and the client cannot know. Other connections and later
   * ones work.
   */
  public void swallowNextReply() {
    swallowNextReply.set(true);
  }

  /** Returns how many replies {@link #swallowNextReply} has lost so far. */
  public int lostReplies() {
    return lostReplies.get();
  }

  /** Stops listening and resets all connections. */
  @Override
  public void close() {
    cut = true;
    closeQuietly(listener);
    connections.forEach(RelayedConnection::abort);
  }

  long delayNanos() {
    return delayNanos;
  }

  /** Whether the caller is to lose its next reply; true for one caller per arming. */
  boolean takeSwallowNextReply() {
    // The plain read first: this is asked for every chunk.
    return swallowNextReply.get() && swallowNextReply.compareAndSet(true, false);
  }

  void countLostReply() {
    lostReplies.incrementAndGet();
  }

  void forget(RelayedConnection connection) {
    connections.remove(connection);
  }

  private void acceptLoop() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        if (cut) {
          reset(client);
        } else {
          daemon("relay-connect-" + client.getPort(), () -> open(client));
        }
      } catch (IOException e) {
        // Closed, or a client that went away before it was accepted: look again.
      }
    }
  }

  private void open(Socket client) {
    Socket server = new Socket();
    try {
      server.connect(target, CONNECT_TIMEOUT_MS);
      client.setTcpNoDelay(true);
      server.setTcpNoDelay(true);
    } catch (IOException e) {
      // The server is down; its clients see that as a connection that breaks at once.
      reset(server);
      reset(client);
      return;
    }
    RelayedConnection connection = new RelayedConnection(this, client, server);
    connections.add(connection);
    if (cut) {
      // A cut that came while we connected has not seen this one.
      connection.abort();
    } else {
      connection.start();
    }
  }

  static void daemon(String name, Runnable task) {
    Thread thread = new Thread(task, name);
    thread.setDaemon(true);
    thread.start();
  }

  /** Closes with RST, so that the peer sees a failure rather than an orderly end. */
  static void reset(Socket socket) {
    try {
      socket.setSoLinger(true, 0);
    } catch (IOException e) {
      // Already closed.
    }
    closeQuietly(socket);
  }

  private static void closeQuietly(AutoCloseable closeable) {
    try {
      closeable.close();
    } catch (Exception e) {
      // Nothing is lost: these sockets carry nothing any more.
    }
  }
}
