package dev.holdfast.opensearch;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * A {@linkplain SearchIndex search index} as the target of a channel: a message is what a thing has
 * become, or that it is gone, and its position in the outbox is the document's version. So repeats
 * change nothing, nothing older replaces anything newer, and a relay that was given up does no
 * harm.
 *
 * <p>Of several messages about one document that come together the last one alone is written. One
 * that the engine refuses for what it is, such as a text in a field for numbers, is parked with the
 * later ones of its key, and the others go on. Nothing is written while the alias is gone: an index
 * that the engine makes by itself would have no mapping.
 *
 * <p>Immutable and thread-safe.
 */
public final class SearchTarget implements Target {
  private static final List<Assumption> ASSUMPTIONS =
      List.of(
          new Assumption(
              "search.keeps-what-it-acknowledged",
              null,
              "The index keeps what the engine has acknowledged, with its versions: it syncs its log before it answers (index.translog.durability=request), and nobody restores or changes it by other means.",
              Set.of()),
          new Assumption(
              "search.whole-states",
              Capability.DEDUPLICATION,
              "A message has the whole state of its document, and all that write a document come by one channel.",
              Set.of()),
          new Assumption(
              "search.positions-rise",
              Capability.DEDUPLICATION,
              "The outbox's positions only rise. Where the database was restored from a backup, the index is rebuilt.",
              Set.of()));

  private final SearchIndex index;
  private final Function<OutboxRecord, Optional<Document>> mapping;
  private final Duration retryFor;

  private SearchTarget(
      SearchIndex index, Function<OutboxRecord, Optional<Document>> mapping, Duration retryFor) {
    this.index = index;
    this.mapping = mapping;
    this.retryFor = retryFor;
  }

  /**
   * Writes to an index, which has to be there: see {@link SearchIndex#create}.
   *
   * @param mapping what a message says about which document; empty when it says nothing. Called
   *     again whenever the message is sent again, and has no effects. A message of which it throws
   *     is parked, unless that is {@link StoreUnavailable}: then all wait, and it is called again
   */
  public static SearchTarget to(
      SearchIndex index, Function<OutboxRecord, Optional<Document>> mapping) {
    return new SearchTarget(index, mapping, Duration.ofSeconds(2));
  }

  /**
   * For how long the engine is asked again while it says that it has too much to do, before the
   * channel gives up its turn and says that it is blocked; 0 to 1 min, default 2 s.
   */
  public SearchTarget retryFor(Duration value) {
    if (value.isNegative() || value.compareTo(Duration.ofMinutes(1)) > 0) {
      throw new InvalidConfiguration(
          "retryFor of %s is %s, and must be PT0S to PT1M. Nothing was started."
              .formatted(index, value));
    }
    return new SearchTarget(index, mapping, value);
  }

  @Override
  public String description() {
    return index.toString();
  }

  @Override
  public String kind() {
    return "search index";
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of(Capability.ORDER_PER_KEY, Capability.DEDUPLICATION);
  }

  /** A repeat is dropped by its version, which is kept with the document or its tombstone. */
  @Override
  public Optional<Duration> window(Capability capability) {
    return capability == Capability.DEDUPLICATION
        ? Optional.of(index.tombstonesKept())
        : Target.super.window(capability);
  }

  @Override
  public Acknowledgment acknowledgment() {
    return Acknowledgment.PERSISTED;
  }

  @Override
  public List<Assumption> assumptions() {
    return ASSUMPTIONS;
  }

  @Override
  public TargetSession open(Context context) {
    return new SearchSession(index, mapping, retryFor);
  }

  @Override
  public String toString() {
    return description();
  }
}
