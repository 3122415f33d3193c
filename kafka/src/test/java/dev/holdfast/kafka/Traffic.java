package dev.holdfast.kafka;

import dev.holdfast.HoldfastException;
import java.sql.SQLException;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReadWriteLock;
import java.util.concurrent.locks.ReentrantReadWriteLock;

/**
 * Customers who order while servers are killed: some with {@code synchronous_commit} off, some roll
 * back. Orders that fail are not repeated; what became of them the table tells. They order as many
 * times as they are let, so that a slow machine is not buried in orders.
 */
final class Traffic implements AutoCloseable {
  private static final int THREADS = 4;
  private static final int CUSTOMERS = 7;

  private final Shop shop;
  private final ExecutorService threads = Executors.newFixedThreadPool(THREADS);
  private final Semaphore permits = new Semaphore(0);
  private final AtomicInteger attempted = new AtomicInteger();
  private final AtomicInteger failed = new AtomicInteger();

  /** Held for an order by whoever places it; for the change, by whoever changes what is placed. */
  private final ReadWriteLock phase = new ReentrantReadWriteLock(true);

  private volatile boolean fleeting;

  Traffic(Shop shop, long seed) {
    this.shop = shop;
    for (int i = 0; i < THREADS; i++) {
      Random random = new Random(seed * 31 + i);
      threads.execute(() -> run(random));
    }
  }

  /** Lets this many more orders be placed. */
  void permit(int orders) {
    permits.release(orders);
  }

  int attempted() {
    return attempted.get();
  }

  int failed() {
    return failed.get();
  }

  /** From the return of this on, no order forces anything to the disk, until told otherwise. */
  void onlyFleeting() {
    change(true);
  }

  void ofAllKinds() {
    fleeting = false;
  }

  /** Waits for the orders that are being placed. */
  private void change(boolean toFleeting) {
    phase.writeLock().lock();
    try {
      fleeting = toFleeting;
    } finally {
      phase.writeLock().unlock();
    }
  }

  private void run(Random random) {
    try {
      while (true) {
        permits.acquire();
        phase.readLock().lock();
        try {
          order("c" + random.nextInt(CUSTOMERS), random);
        } catch (HoldfastException | SQLException e) {
          failed.incrementAndGet();
        } finally {
          attempted.incrementAndGet();
          phase.readLock().unlock();
        }
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private void order(String customer, Random random) throws SQLException {
    boolean rollBack = random.nextInt(6) == 0;
    boolean asynchronous = random.nextBoolean();
    if (fleeting) {
      shop.fleetingOrder(customer, rollBack);
    } else {
      shop.order(customer, asynchronous, rollBack);
    }
  }

  /** Returns when nobody orders any more. */
  @Override
  public void close() {
    permits.drainPermits();
    change(false);
    threads.shutdownNow();
  }
}
