package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** How consumers are begun and ended together. */
final class ConsumersTest {
  private final List<String> told = new CopyOnWriteArrayList<>();

  private record Plan(String consumer, Supplier<Consumers.Running> starting)
      implements Consumers.Plan {
    @Override
    public Consumers.Running start() {
      return starting.get();
    }
  }

  private record Running(String consumer, List<Runnable> closing) implements Consumers.Running {}

  private Plan starting(String consumer) {
    return new Plan(
        consumer,
        () -> {
          told.add(consumer + " begins");
          return new Running(consumer, List.of(() -> told.add(consumer + " ends")));
        });
  }

  private static Plan failing(Throwable failure) {
    return new Plan(
        "failing",
        () -> {
          if (failure instanceof Error error) {
            throw error;
          }
          throw (RuntimeException) failure;
        });
  }

  @Test
  void whatHasBegunIsEndedWhateverKeepsAnotherFromBeginning() {
    for (Throwable failure :
        List.of(new IllegalStateException("no"), new NoClassDefFoundError("Jms"))) {
      told.clear();
      Consumers consumers =
          new Consumers(() -> List.of(starting("a"), failing(failure), starting("b")));
      assertThatThrownBy(consumers::start).isSameAs(failure);
      assertThat(told).containsExactly("a begins", "a ends");
      assertThat(consumers.isRunning()).isFalse();
    }
  }

  @Test
  void theyBeginAnewBehindTheirEnd() {
    Consumers consumers = new Consumers(() -> List.of(starting("a")));
    consumers.start();
    consumers.start();
    consumers.stop();
    consumers.destroy();
    consumers.start();
    assertThat(told).containsExactly("a begins", "a ends", "a begins");
  }
}
