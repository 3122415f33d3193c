package dev.holdfast.opensearch;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.reconcile.Side;
import dev.holdfast.reconcile.SideSession;
import dev.holdfast.reconcile.Versions;

/**
 * A {@linkplain SearchIndex#comparable comparable} search index as one side: a document's id is its
 * key, its {@linkplain Document#revision revision} its version. A tombstone is nothing. Counts and
 * sums are the engine's. Immutable and thread-safe.
 *
 * <p>A run refreshes the index before it looks, so that what was written is seen.
 */
public final class SearchSide implements Side {
  private final SearchIndex index;
  private final Versions versions;

  private SearchSide(SearchIndex index, Versions versions) {
    if (!index.isComparable()) {
      throw new InvalidConfiguration(
          "The documents of the %s do not say what they are compared by. Nothing was started. Make it with comparable(), and rebuild it."
              .formatted(index));
    }
    this.index = index;
    this.versions = versions;
  }

  /**
   * An index by its documents' revisions.
   *
   * @param versions what those are
   * @throws InvalidConfiguration when it is not comparable
   */
  public static SearchSide of(SearchIndex index, Versions versions) {
    return new SearchSide(index, versions);
  }

  @Override
  public String description() {
    return index.toString();
  }

  @Override
  public Versions versions() {
    return versions;
  }

  /** No: documents do not say when their rows were changed. */
  @Override
  public boolean knowsChanges() {
    return false;
  }

  @Override
  public SideSession open() {
    return ComparingSession.open(index);
  }

  @Override
  public String toString() {
    return description();
  }
}
