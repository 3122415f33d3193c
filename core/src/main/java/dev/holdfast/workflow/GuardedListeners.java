package dev.holdfast.workflow;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Calls listeners, and lets none of them disturb the work that it learns of. */
final class GuardedListeners implements WorkflowListener {
  private static final Logger log = LoggerFactory.getLogger(GuardedListeners.class);

  private final List<WorkflowListener> listeners;

  GuardedListeners(List<WorkflowListener> listeners) {
    this.listeners = List.copyOf(listeners);
  }

  @Override
  public Map<String, String> starting(
      String id, Workflow<?, ?> workflow, Map<String, String> attributes) {
    Map<String, String> result = attributes;
    for (WorkflowListener listener : listeners) {
      try {
        Map<String, String> more = Map.copyOf(listener.starting(id, workflow, result));
        if (more.entrySet().containsAll(result.entrySet())) {
          result = more;
        } else {
          log.warn("{} has taken attributes of run {} away, which stay", listener, id);
        }
      } catch (RuntimeException e) {
        failed(listener, e);
      }
    }
    return result;
  }

  @Override
  public Executing executing(Run run) {
    if (listeners.isEmpty()) {
      return Executing.IGNORED;
    }
    List<Executing> all = new ArrayList<>(listeners.size());
    for (WorkflowListener listener : listeners) {
      try {
        all.add(listener.executing(run));
      } catch (RuntimeException e) {
        failed(listener, e);
      }
    }
    return new All(all);
  }

  private record All(List<Executing> all) implements Executing {
    @Override
    public void stepEnded(StepEnd end) {
      each(executing -> executing.stepEnded(end));
    }

    @Override
    public void unwinding(String reason) {
      each(executing -> executing.unwinding(reason));
    }

    @Override
    public void left(RunStatus status, @Nullable String reason) {
      // What was opened last is closed first.
      for (int i = all.size() - 1; i >= 0; i--) {
        guarded(all.get(i), executing -> executing.left(status, reason));
      }
    }

    private void each(Consumer<Executing> call) {
      all.forEach(executing -> guarded(executing, call));
    }

    private static void guarded(Executing executing, Consumer<Executing> call) {
      try {
        call.accept(executing);
      } catch (RuntimeException e) {
        failed(executing, e);
      }
    }
  }

  private static void failed(Object listener, RuntimeException e) {
    log.warn("{} has failed, which changes nothing of the workflows' work", listener, e);
  }
}
