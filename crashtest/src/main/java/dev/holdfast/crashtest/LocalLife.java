package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.crashtest.report.Phase;
import dev.holdfast.crashtest.resource.ProcessCrashed;
import dev.holdfast.crashtest.resource.Role;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * A life within this JVM.
 *
 * @param <S> the application
 */
final class LocalLife<S> implements Life {
  private final Scenario<S> scenario;
  private final Incarnation process;
  private final AtomicReference<@Nullable S> application = new AtomicReference<>();

  private LocalLife(Scenario<S> scenario, Incarnation process) {
    this.scenario = scenario;
    this.process = process;
  }

  static <S> Source source(
      Scenario<S> scenario, Trace trace, Truths truths, @Nullable Carrier carrier) {
    return again -> {
      Incarnation process = new Incarnation(trace, carrier);
      Born born = begin(scenario, process, truths, again);
      if (born.start().how() != How.RETURNED) {
        // What it has made by then must not be left behind.
        process.crash("because it did not start");
      }
      return born;
    };
  }

  static <S> Born begin(Scenario<S> scenario, Incarnation process, Truths truths, boolean again) {
    LocalLife<S> life = new LocalLife<>(scenario, process);
    LabThread.Body start =
        () -> {
          S started = scenario.start().start(new Resources(process, truths));
          if (started instanceof AutoCloseable closeable) {
            process.onStop(closeable);
          }
          life.application.set(started);
          if (again) {
            scenario.recovery().run(started);
          }
        };
    return new Born(life, life.run(LabThread.START, start));
  }

  private Ended run(String role, LabThread.Body body) {
    return LabThread.run(role, process, scenario, body);
  }

  @Override
  public void enter(Phase phase) {
    // The trace is shared.
  }

  @Override
  public Ended attempt(String key) {
    return run(Role.CALLER, () -> scenario.work().run(started(), key));
  }

  @Override
  public boolean isIdle() {
    try {
      return scenario.idle().test(started());
    } catch (ProcessCrashed e) {
      // A second fault struck while it was asked.
      return false;
    }
  }

  private S started() {
    return java.util.Objects.requireNonNull(application.get());
  }

  @Override
  public boolean isCrashed() {
    return process.isCrashed();
  }

  @Override
  public CompletableFuture<Void> crashed() {
    return process.crashed();
  }

  @Override
  public void settle() {
    process.settle();
  }

  @Override
  public void crash(String where) {
    process.crash(where);
  }

  @Override
  public void bury() {
    process.bury();
  }

  @Override
  public void stop() {
    process.stop();
  }
}
