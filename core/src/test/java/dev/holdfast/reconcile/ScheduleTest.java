package dev.holdfast.reconcile;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.HoldfastException;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Runs that follow one another. */
final class ScheduleTest {
  private static final Entry A = new Entry("a", "1", null);

  /** Counts, and throws what listeners should not. */
  private static final class Heard implements ReconcileListener {
    final CountDownLatch ran = new CountDownLatch(2);
    final CountDownLatch failed = new CountDownLatch(2);

    @Override
    public void ran(Report report) {
      ran.countDown();
      throw new IllegalStateException("a listener's own");
    }

    @Override
    public void failed(RuntimeException failure) {
      failed.countDown();
    }
  }

  @Test
  void aRunThatFailsAndAListenerThatThrowsDoNotEndIt() throws InterruptedException {
    AtomicInteger looks = new AtomicInteger();
    Side source =
        ModelSide.of(List.of(A))
            .before(
                entries -> {
                  if (looks.incrementAndGet() <= 2) {
                    throw new HoldfastException("not now");
                  }
                });
    Heard heard = new Heard();
    try (Schedule schedule =
        Reconciliation.of(source, ModelSide.of(List.of(A)))
            .build()
            .every(Duration.ofSeconds(1), heard)) {
      assertThat(heard.ran.await(1, TimeUnit.MINUTES)).isTrue();
      assertThat(heard.failed.getCount()).isZero();
    }
  }

  @Test
  void closingEndsARunThatWaits() throws InterruptedException {
    CountDownLatch waiting = new CountDownLatch(1);
    CountDownLatch forever = new CountDownLatch(1);
    Heard heard = new Heard();
    Schedule schedule =
        Reconciliation.of(ModelSide.of(List.of(A)), ModelSide.of(List.of()))
            .wait(
                settle -> {
                  waiting.countDown();
                  forever.await();
                })
            .build()
            .every(Duration.ofSeconds(1), heard);
    assertThat(waiting.await(1, TimeUnit.MINUTES)).isTrue();

    schedule.close();

    assertThat(heard.ran.getCount()).isEqualTo(2);
    assertThat(heard.failed.getCount()).isEqualTo(2);
  }

  @Test
  void anInterruptEndsARunBetweenTwoOfItsCalls() throws InterruptedException {
    AtomicInteger looks = new AtomicInteger();
    List<Entry> many =
        java.util.stream.IntStream.range(0, 5_000)
            .mapToObj(i -> new Entry("k" + i, "1", null))
            .toList();
    Side source =
        ModelSide.of(many)
            .before(
                entries -> {
                  looks.incrementAndGet();
                  Thread.currentThread().interrupt();
                });
    Reconciliation reconciliation =
        Reconciliation.of(source, ModelSide.of(List.of())).listBelow(1).build();
    Throwable thrown =
        org.assertj.core.api.Assertions.catchThrowable(
            () -> {
              reconciliation.run();
            });
    assertThat(thrown).isInstanceOf(InterruptedException.class);
    assertThat(looks.get()).isEqualTo(1);
  }
}
