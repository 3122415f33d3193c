package dev.holdfast.devservices;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.util.Arrays;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * One connection through a {@link TcpRelay}. Each direction has a thread that reads and one that
 * writes, with a queue between them, so that a delay shifts the bytes and does not thin them out.
 * Without a delay and with nothing queued, the reader writes at once; only the reader adds to the
 * queue and a chunk counts as queued until it is written, hence the two never write at a time.
 */
final class RelayedConnection {
  private static final int CHUNK_BYTES = 64 << 10;
  private static final int QUEUED_CHUNKS = 256;

  private enum Replies {
    PASS,
    SWALLOW,
    SWALLOW_AND_CUT
  }

  private final TcpRelay relay;
  private final Socket client;
  private final Socket server;
  private final AtomicBoolean aborted = new AtomicBoolean();
  private final AtomicInteger openDirections = new AtomicInteger(2);
  private volatile Replies replies = Replies.PASS;

  RelayedConnection(TcpRelay relay, Socket client, Socket server) {
    this.relay = relay;
    this.client = client;
    this.server = server;
  }

  void start() {
    new Direction(client, server, true).start();
    new Direction(server, client, false).start();
  }

  void swallowReplies() {
    replies = Replies.SWALLOW;
  }

  void passReplies() {
    replies = Replies.PASS;
  }

  void abort() {
    if (aborted.compareAndSet(false, true)) {
      TcpRelay.reset(client);
      TcpRelay.reset(server);
      relay.forget(this);
    }
  }

  /** Bytes, and when they are due; none for the end of the stream. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared, and never shared.
  private record Chunk(byte @Nullable [] bytes, long dueNanos) {}

  private final class Direction {
    private final Socket from;
    private final Socket to;
    private final boolean toServer;
    private final BlockingQueue<Chunk> queue = new ArrayBlockingQueue<>(QUEUED_CHUNKS);
    private final AtomicInteger queued = new AtomicInteger();

    Direction(Socket from, Socket to, boolean toServer) {
      this.from = from;
      this.to = to;
      this.toServer = toServer;
    }

    void start() {
      String name = (toServer ? "relay-requests-" : "relay-replies-") + client.getPort();
      TcpRelay.daemon(name + "-read", () -> run(this::readLoop));
      TcpRelay.daemon(name + "-write", () -> run(this::writeLoop));
    }

    private void run(Loop loop) {
      try {
        loop.run();
      } catch (IOException e) {
        // One side is broken, so the other is told in the same way.
        abort();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        abort();
      }
    }

    private void readLoop() throws IOException, InterruptedException {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      byte[] buffer = new byte[CHUNK_BYTES];
      for (int length = in.read(buffer); length >= 0; length = in.read(buffer)) {
        if (toServer && relay.takeSwallowNextReply()) {
          // Before the request goes out, or the reply could be faster.
          replies = Replies.SWALLOW_AND_CUT;
        }
        if (!toServer && swallowed()) {
          continue;
        }
        long delayNanos = relay.delayNanos();
        if (delayNanos == 0 && queued.get() == 0) {
          out.write(buffer, 0, length);
        } else {
          enqueue(new Chunk(Arrays.copyOf(buffer, length), Await.nanos() + delayNanos));
        }
      }
      enqueue(new Chunk(null, Await.nanos() + relay.delayNanos()));
    }

    private boolean swallowed() {
      return switch (replies) {
        case PASS -> false;
        case SWALLOW -> true;
        case SWALLOW_AND_CUT -> {
          relay.countLostReply();
          abort();
          yield true;
        }
      };
    }

    private void enqueue(Chunk chunk) throws InterruptedException {
      queued.incrementAndGet();
      while (!queue.offer(chunk, 100, TimeUnit.MILLISECONDS)) {
        if (aborted.get()) {
          return;
        }
      }
    }

    private void writeLoop() throws IOException, InterruptedException {
      OutputStream out = to.getOutputStream();
      while (!aborted.get()) {
        // Polls: nothing else tells this thread that the connection was aborted.
        Chunk chunk = queue.poll(100, TimeUnit.MILLISECONDS);
        if (chunk != null) {
          Await.due(chunk.dueNanos(), aborted::get);
          byte[] bytes = chunk.bytes();
          if (bytes == null) {
            finish();
            return;
          }
          out.write(bytes);
          queued.decrementAndGet();
        }
      }
    }

    /** Passes the end of this direction on; the other one may still carry bytes. */
    private void finish() throws IOException {
      if (openDirections.decrementAndGet() == 0) {
        client.close();
        server.close();
        relay.forget(RelayedConnection.this);
      } else {
        to.shutdownOutput();
      }
    }
  }

  /** A thread's work. */
  private interface Loop {
    void run() throws IOException, InterruptedException;
  }
}
