package dev.holdfast.eventlog;

import dev.holdfast.HoldfastException;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.eventlog.store.EventStore;
import dev.holdfast.eventlog.store.LoneAppend;
import dev.holdfast.internal.Combiner;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.function.Predicate;

/**
 * Appends that are transactions of their own, of which those of one event share a commit, as {@link
 * Combiner} brings them together. One that would keep the others waiting, or that the database
 * fails on, is appended alone. Thread-safe.
 */
final class LoneAppends {
  private static final int AT_ONCE = 64;
  private static final int BYTES_AT_ONCE = 1024 * 1024;

  private final EventStore store;
  private final Combiner<LoneAppend> combiner = new Combiner<>(Room::new, this::appendAll);

  LoneAppends(EventStore store) {
    this.store = store;
  }

  Appended append(Append append, String operationId) {
    if (append.condition() == null
        && append.parts().size() == 1
        && append.parts().get(0).events().size() == 1) {
      LoneAppend lone = new LoneAppend(append, operationId);
      combiner.submit(lone);
      Appended answer = lone.answer();
      if (answer != null) {
        return answer;
      }
    }
    return store.append(append, operationId);
  }

  private void appendAll(List<LoneAppend> round) {
    if (round.size() == 1) {
      LoneAppend one = round.get(0);
      one.answer(store.append(one.append(), one.operationId()));
      return;
    }
    try {
      store.appendTogether(round);
    } catch (StoreUnavailable e) {
      // Alone they would wait for as long again, to be told the same.
      throw e;
    } catch (HoldfastException e) {
      // Whatever has become of them: each is appended alone, which repeats nothing, and is told of
      // its own failure alone.
    }
  }

  /** As many as one commit takes; of one event once. */
  private static final class Room implements Predicate<LoneAppend> {
    private final Set<UUID> ids = new HashSet<>();
    private long bytes;

    @Override
    public boolean test(LoneAppend lone) {
      EventData event = lone.append().parts().get(0).events().get(0);
      bytes += event.data().length;
      return ids.size() < AT_ONCE && bytes <= BYTES_AT_ONCE && ids.add(event.id());
    }
  }
}
