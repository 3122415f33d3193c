package dev.holdfast.opensearch;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a thing is in the index: its whole state, or that it is not there any more.
 *
 * @param id 1 to 512 bytes as UTF-8
 * @param json one JSON object; {@code null} for a thing that was deleted
 * @param revision what it is compared by, in an index that is {@linkplain SearchIndex#comparable
 *     comparable}: the version of the row that it was made of, or a hash of its content; {@code
 *     null} for the version that it is written with
 */
public record Document(String id, @Nullable String json, @Nullable String revision) {
  public Document {
    Objects.requireNonNull(id);
  }

  /** The thing's state from now on, whatever it was before. */
  public static Document of(String id, String json) {
    return new Document(id, Objects.requireNonNull(json), null);
  }

  /** The thing is there no more. */
  public static Document deleted(String id) {
    return new Document(id, null, null);
  }

  /** The same, compared by this: see {@link #revision}. */
  public Document comparedBy(String value) {
    return new Document(id, json, Objects.requireNonNull(value));
  }

  /** Without the content. */
  @Override
  public String toString() {
    return (json == null ? "deleted document " : "document ") + id;
  }
}
