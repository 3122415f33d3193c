package dev.holdfast.crashtest.workflow;

import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * One run, and all that has to do with it.
 *
 * @param journal what is committed of it
 * @param sent what is under way to the database, or open there
 * @param services by step
 */
record World(
    List<Line> journal,
    Row row,
    List<Executor> executors,
    List<Sent> sent,
    List<Service> services,
    Harm harm) {

  /** What must not happen, and leaves no other trace. */
  enum Harm {
    NONE,
    /** An entry was committed by one that the run did not belong to any more. */
    WRITTEN_BY_A_FORMER_OWNER,
    /** An entry was left out since another has its number. */
    SWALLOWED
  }

  Executor executor(int index) {
    return executors.get(index);
  }

  Service service(int step) {
    return services.get(step);
  }

  World with(int index, Executor value) {
    return new World(journal, row, set(executors, index, value), sent, services, harm);
  }

  World change(int index, UnaryOperator<Executor> change) {
    return with(index, change.apply(executor(index)));
  }

  World service(int step, Service value) {
    return new World(journal, row, executors, sent, set(services, step, value), harm);
  }

  World with(Row value) {
    return new World(journal, value, executors, sent, services, harm);
  }

  World append(List<Line> lines) {
    List<Line> more = new ArrayList<>(journal);
    more.addAll(lines);
    return new World(List.copyOf(more), row, executors, sent, services, harm);
  }

  World send(Sent value) {
    List<Sent> more = new ArrayList<>(sent);
    more.add(value);
    return sent(more);
  }

  World sent(List<Sent> value) {
    return new World(journal, row, executors, List.copyOf(value), services, harm);
  }

  World replace(Sent old, @Nullable Sent by) {
    List<Sent> changed = new ArrayList<>(sent);
    int at = changed.indexOf(old);
    if (by == null) {
      changed.remove(at);
    } else {
      changed.set(at, by);
    }
    return sent(changed);
  }

  World harm(Harm value) {
    return new World(journal, row, executors, sent, services, value);
  }

  @Nullable Sent attached(int index) {
    for (Sent each : sent) {
      if (each.attached() && each.executor() == index) {
        return each;
      }
    }
    return null;
  }

  boolean isLocked() {
    for (Sent each : sent) {
      if (each.locked()) {
        return true;
      }
    }
    return false;
  }

  private static <T> List<T> set(List<T> list, int index, T value) {
    List<T> changed = new ArrayList<>(list);
    changed.set(index, value);
    return List.copyOf(changed);
  }

  @Override
  public int hashCode() {
    int bits = 31 * harm.hashCode() + row.hashCode();
    bits = 31 * bits + journal.hashCode();
    bits = 31 * bits + services.hashCode();
    bits = 31 * bits + executors.hashCode();
    return 31 * bits + sent.hashCode();
  }

  @Override
  public String toString() {
    return row
        + "; journal "
        + journal
        + "; steps "
        + services
        + "; executors "
        + executors
        + (sent.isEmpty() ? "" : "; under way " + sent)
        + (harm == Harm.NONE ? "" : "; " + harm);
  }
}
