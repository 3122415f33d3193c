package dev.holdfast.crashtest.resource;

import dev.holdfast.devservices.TcpRelay;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * A {@link TcpRelay} in front of one resource of one process.
 *
 * <p>The relay loses the answer to the <em>next</em> request, whoever sends it. Therefore requests
 * share a lock, and the one whose answer is to be lost takes it alone. It does not wait for ever
 * for those under way, which may be waiting for a row that it has locked: their bytes have left
 * long ago.
 */
final class RelayWire implements Wire {
  private static final long ALONE_MS = 200;

  private final TcpRelay relay;
  private final ReadWriteLock lock = new ReentrantReadWriteLock();
  private volatile boolean cut;

  RelayWire(String host, int port) {
    relay = TcpRelay.to(host, port);
  }

  String host() {
    return "127.0.0.1";
  }

  int port() {
    return relay.port();
  }

  @Override
  public <T, E extends Exception> T request(Request<T, E> request) throws E {
    lock.readLock().lock();
    try {
      return request.run();
    } finally {
      lock.readLock().unlock();
    }
  }

  @Override
  public <T, E extends Exception> T losingAnswer(Request<T, E> request) throws E {
    boolean alone = tryAlone();
    int lostBefore = relay.lostReplies();
    try {
      relay.swallowNextReply();
      T answer = request.run();
      if (relay.lostReplies() == lostBefore) {
        throw new IllegalStateException("The request passed the relay without losing its answer.");
      }
      return answer;
    } finally {
      // Forgets the order when nothing was sent.
      relay.restore();
      if (cut) {
        relay.cut();
      }
      if (alone) {
        lock.writeLock().unlock();
      }
    }
  }

  private boolean tryAlone() {
    try {
      return lock.writeLock().tryLock(ALONE_MS, java.util.concurrent.TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    }
  }

  @Override
  public void cut() {
    cut = true;
    relay.cut();
  }

  @Override
  public void close() {
    relay.close();
  }
}
