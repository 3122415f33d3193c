package dev.holdfast.cli.prove.twophase;

import dev.holdfast.HoldfastException;
import dev.holdfast.OutcomeUnknown;
import dev.holdfast.TransactionOptions;
import dev.holdfast.twophase.Atomic;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A process that runs operations until it is killed: each inserts its id in both databases. Says of
 * each what it was told: {@code c} committed, {@code f} failed, {@code u} unknown.
 */
public final class OwnerMain {
  private static final int THREADS = 4;

  private OwnerMain() {}

  /**
   * @param arguments the URLs, the mutant, what ids begin with, and whether the second phase is
   *     asynchronous
   */
  public static void main(String[] arguments) throws InterruptedException {
    boolean asynchronous = Boolean.parseBoolean(arguments[4]);
    // Recovery of its own as well: every process has it.
    Databases databases =
        new Databases(
            arguments[0],
            arguments[1],
            Mutant.named(arguments[2]),
            asynchronous,
            /* recovers= */ true);
    AtomicLong ids = new AtomicLong();
    Thread[] threads = new Thread[THREADS];
    for (int i = 0; i < THREADS; i++) {
      threads[i] = new Thread(() -> work(databases, arguments[3], ids), "owner-" + i);
      threads[i].start();
    }
    for (Thread thread : threads) {
      thread.join();
    }
  }

  private static void work(Databases databases, String prefix, AtomicLong ids) {
    while (true) {
      String id = prefix + "-" + ids.incrementAndGet();
      say(outcome(databases, id), id);
    }
  }

  private static String outcome(Databases databases, String id) {
    try {
      new Atomic(databases.coordinator)
          .with(databases.participant)
          .options(TransactionOptions.DEFAULT.withOperationId(id))
          .run(
              tx -> {
                tx.update("insert into entry (id) values (?)", id);
                tx.on(databases.participant).update("insert into entry (id) values (?)", id);
              });
      return "c";
    } catch (OutcomeUnknown e) {
      return "u";
    } catch (HoldfastException e) {
      return "f";
    }
  }

  /** One write for a line, so that a kill does not cut it in two. */
  private static void say(String outcome, String id) {
    byte[] line = (outcome + " " + id + "\n").getBytes(java.nio.charset.StandardCharsets.UTF_8);
    synchronized (OwnerMain.class) {
      System.out.write(line, 0, line.length);
      System.out.flush();
    }
  }
}
