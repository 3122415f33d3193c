package dev.holdfast.workflow.store;

import dev.holdfast.workflow.RunStatus;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Runs to look at. What is read here is for people: it changes while it is read. Thread-safe. */
public interface RunCatalog {

  /**
   * What is looked for; what is {@code null} or empty does not matter.
   *
   * @param attributes all of them, with these values
   * @param limit the newest ones, so many at most
   */
  record Search(
      @Nullable String name,
      Set<RunStatus> statuses,
      @Nullable String queue,
      Map<String, String> attributes,
      int limit) {}

  /**
   * A run.
   *
   * @param reason why it is stuck or has failed
   * @param cancelled why it was asked to end
   * @param waitsFor the signals that it waits for
   * @param isHeld whether it waits in its queue to be let in
   * @param executor which process runs it
   */
  record Listed(
      long run,
      String id,
      String name,
      int version,
      RunStatus status,
      boolean isUnwinding,
      @Nullable String reason,
      @Nullable String cancelled,
      @Nullable Instant dueAt,
      List<String> waitsFor,
      @Nullable Instant deadline,
      @Nullable String queue,
      boolean isHeld,
      @Nullable String executor,
      String operationId,
      Map<String, String> attributes,
      String input,
      Instant startedAt,
      Instant changedAt) {}

  List<Listed> search(Search search);

  Optional<Listed> find(String id);

  /** What a person has done to a run. */
  record Audited(Instant at, String who, String action, String note) {}

  /** The newest last, 1,000 at most. */
  List<Audited> audit(long run);

  /**
   * A queue that something waits in, or is under way from.
   *
   * @param waiting how many are held, due or not
   * @param underWay how many were let in and have not ended
   * @param oldest since when the first one is due; {@code null} when none is
   */
  record Queued(String queue, long waiting, long underWay, @Nullable Instant oldest) {}

  List<Queued> queues();
}
