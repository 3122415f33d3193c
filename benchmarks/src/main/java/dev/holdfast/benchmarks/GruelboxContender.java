package dev.holdfast.benchmarks;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

import com.gruelbox.transactionoutbox.Dialect;
import com.gruelbox.transactionoutbox.Instantiator;
import com.gruelbox.transactionoutbox.Persistor;
import com.gruelbox.transactionoutbox.Submitter;
import com.gruelbox.transactionoutbox.TransactionManager;
import com.gruelbox.transactionoutbox.TransactionOutbox;
import dev.holdfast.internal.Doorbell;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/** gruelbox transaction-outbox: a recorded call for each message, run after the commit. */
final class GruelboxContender implements Contender {
  @Override
  public String name() {
    return "gruelbox";
  }

  @Override
  public Set<Mode> modes() {
    return Set.of(Mode.PLAIN);
  }

  @Override
  public boolean takesPart(Measurement measurement) {
    return true;
  }

  @Override
  public String participation() {
    return "in everything; it leaves sending to the user and knows no Kafka transactions, so that one run counts in drain and drain_plain, and one in both latencies";
  }

  @Override
  public String guarantee(Mode mode) {
    return "at least once; no order";
  }

  @Override
  public Map<String, String> settings() {
    return Map.of(
        "flush_batch_size", Integer.toString(BestSettings.GRUELBOX_FLUSH_BATCH),
        "threads", Integer.toString(BestSettings.GRUELBOX_THREADS),
        "queue", Integer.toString(BestSettings.GRUELBOX_QUEUE),
        "attempt_frequency_s", Integer.toString(BestSettings.GRUELBOX_ATTEMPT_SECONDS),
        "flushing", "one looping thread");
  }

  @Override
  public int backlog(int messages) {
    return Math.max(1, messages / BestSettings.SLOW_DIVISOR);
  }

  @Override
  public Entry enter(Venue venue) {
    return new Participation(venue);
  }

  /** The call that is recorded. */
  interface Publisher {
    void publish(String key, String payload);
  }

  private static final class Participation implements Entry {
    private static final int PER_COMMIT = 5_000;
    private static final Duration NOT_SOON = Duration.ofMinutes(10);

    private final Venue venue;
    private final Sender sender;
    private final TransactionManager transactions;
    private final BlockingQueue<Runnable> queue =
        new ArrayBlockingQueue<>(BestSettings.GRUELBOX_QUEUE);
    private final ThreadPoolExecutor executor =
        new ThreadPoolExecutor(
            BestSettings.GRUELBOX_THREADS,
            BestSettings.GRUELBOX_THREADS,
            1,
            TimeUnit.MINUTES,
            queue);
    private @Nullable TransactionOutbox outbox;
    private @Nullable Background flusher;

    Participation(Venue venue) {
      this.venue = venue;
      this.sender = Sender.oneByOne(venue);
      this.transactions = TransactionManager.fromDataSource(venue.pool());
      dropTables();
      // Creates its tables.
      build((entry, processor) -> {}, NOT_SOON);
    }

    private void dropTables() {
      Db.execute(venue.pool(), "drop table if exists txno_outbox, txno_version");
    }

    private TransactionOutbox build(Submitter submitter, Duration attemptFrequency) {
      Publisher publisher = (key, payload) -> sender.sendAndWait(key, payload.getBytes(ISO_8859_1));
      return TransactionOutbox.builder()
          .transactionManager(transactions)
          .persistor(Persistor.forDialect(Dialect.POSTGRESQL_9))
          .instantiator(Instantiator.using(type -> publisher))
          .submitter(submitter)
          .flushBatchSize(BestSettings.GRUELBOX_FLUSH_BATCH)
          .attemptFrequency(attemptFrequency)
          .build();
    }

    @Override
    public void fill(int messages) {
      TransactionOutbox nobodySends = build((entry, processor) -> {}, NOT_SOON);
      for (int done = 0; done < messages; done += PER_COMMIT) {
        int from = done;
        int to = Math.min(done + PER_COMMIT, messages);
        transactions.inTransaction(
            () -> {
              for (long number = from; number < to; number++) {
                nobodySends
                    .schedule(Publisher.class)
                    .publish(Payload.key(number), Payload.text(number));
              }
            });
      }
      // It can only be asked to record what is due later; this is a backlog that is due.
      Db.execute(
          venue.pool(),
          "update txno_outbox set nextattempttime = now() - interval '1 minute'",
          "vacuum full analyze txno_outbox");
    }

    @Override
    public void start(boolean relay) {
      if (relay) {
        outbox =
            build(
                Submitter.withExecutor(executor),
                Duration.ofSeconds(BestSettings.GRUELBOX_ATTEMPT_SECONDS));
        flusher = Background.start("gruelbox-flush", this::flush);
      } else {
        outbox = build((entry, processor) -> {}, NOT_SOON);
      }
    }

    /** What the queue has no room for would be refused, and wait for its next attempt. */
    private void flush(Background.Running running) throws InterruptedException {
      Doorbell wait = new Doorbell();
      while (running.isWanted()) {
        boolean room = queue.remainingCapacity() >= BestSettings.GRUELBOX_FLUSH_BATCH;
        if (!room || !started().flush()) {
          wait.await(Duration.ofMillis(10));
        }
      }
    }

    @Override
    public void commit(long number) {
      try {
        transactions.<SQLException>inTransactionThrows(
            tx -> {
              Db.insertOrder(tx.connection(), number);
              started()
                  .schedule(Publisher.class)
                  .publish(Payload.key(number), Payload.text(number));
            });
      } catch (SQLException e) {
        throw new BenchmarkFailure("A transaction of the benchmark failed", e);
      }
    }

    private TransactionOutbox started() {
      return Objects.requireNonNull(outbox, "start() comes first");
    }

    @Override
    public long delivered() {
      return sender.delivered();
    }

    @Override
    public void close() {
      if (flusher != null) {
        flusher.close();
      }
      executor.shutdownNow();
      try {
        executor.awaitTermination(30, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
      sender.close();
      dropTables();
    }
  }
}
