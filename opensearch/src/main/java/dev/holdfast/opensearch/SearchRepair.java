package dev.holdfast.opensearch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.reconcile.Difference;
import dev.holdfast.reconcile.Drift;
import dev.holdfast.reconcile.Entry;
import dev.holdfast.reconcile.Repair;
import dev.holdfast.reconcile.Repaired;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes the source's documents where the index has others, and tombstones for those that are
 * extra, each with a version that the engine refuses when something newer was written meanwhile. A
 * document that it refuses for what it is, such as a text in a field for numbers, holds up no
 * other. Nothing is written while the alias is gone. Immutable and thread-safe.
 */
public final class SearchRepair implements Repair {
  private enum Versioned {
    BY_ROW,
    BY_OUTBOX
  }

  private final SearchIndex index;
  private final Function<List<String>, List<Document>> documents;
  private final Versioned versioned;

  private SearchRepair(
      SearchIndex index, Function<List<String>, List<Document>> documents, Versioned versioned) {
    this.index = index;
    this.documents = documents;
    this.versioned = versioned;
  }

  /**
   * Of an index whose documents are written with the versions of their rows, which are whole
   * numbers of 1 or more and rise even where a row is deleted and comes back. A repair is written
   * with the version of the row.
   *
   * @param documents what the source has of these ids now, {@linkplain Document#comparedBy compared
   *     by} what the source's side has as the version; nothing of an id that it has not
   */
  public static SearchRepair versionedByRow(
      SearchIndex index, Function<List<String>, List<Document>> documents) {
    return new SearchRepair(index, documents, Versioned.BY_ROW);
  }

  /**
   * Of an index that a channel writes, by a {@link SearchTarget}, with the positions of the outbox.
   * A repair is written with the version of what it replaces, so that whatever the channel has yet
   * to deliver replaces it.
   *
   * @param documents as for {@link #versionedByRow}
   */
  public static SearchRepair versionedByOutbox(
      SearchIndex index, Function<List<String>, List<Document>> documents) {
    return new SearchRepair(index, documents, Versioned.BY_OUTBOX);
  }

  /** A document that is to be written, and with which version. */
  private record Order(Document document, long version, String versionType) {}

  @Override
  public List<Repaired> apply(List<Difference> differences) {
    List<String> keys = differences.stream().map(Difference::key).toList();
    // First what is to be replaced: what is written meanwhile has a greater version. The other way
    // round, a delete between the two would be replaced by what the source had before it.
    Map<String, ComparingSession.Stored> stored = new HashMap<>();
    ComparingSession.stored(index, keys).forEach(each -> stored.put(each.id(), each));
    Map<String, Document> now = new HashMap<>();
    documents.apply(keys).forEach(document -> now.put(document.id(), document));
    Map<String, Repaired> results = new HashMap<>();
    List<Order> orders = new ArrayList<>();
    for (Difference each : differences) {
      ComparingSession.Stored there = stored.get(each.key());
      if (there == null) {
        results.put(each.key(), new Repaired.Refused("its id has 0 or more than 512 bytes"));
      } else if (saysNothing(now.get(each.key()))) {
        results.put(
            each.key(),
            new Repaired.Refused("its document says nothing that it is compared by: comparedBy()"));
      } else if (!isAsSeen(each, now.get(each.key()), there)) {
        results.put(each.key(), new Repaired.Overtaken());
      } else {
        try {
          orders.add(order(each, now.get(each.key()), there));
        } catch (IOException e) {
          results.put(each.key(), new Repaired.Refused(String.valueOf(e.getMessage())));
        }
      }
    }
    write(orders, results);
    return keys.stream().map(key -> Objects.requireNonNull(results.get(key))).toList();
  }

  private static boolean saysNothing(@Nullable Document document) {
    return document != null && document.revision() == null;
  }

  private static boolean isAsSeen(
      Difference difference, @Nullable Document document, ComparingSession.Stored stored) {
    Entry source = difference.source();
    Entry derived = difference.derived();
    return Objects.equals(
            source == null ? null : source.version(), document == null ? null : document.revision())
        && Objects.equals(derived == null ? null : derived.version(), stored.revision());
  }

  private Order order(
      Difference difference, @Nullable Document document, ComparingSession.Stored stored)
      throws IOException {
    if (difference.drift() == Drift.EXTRA || document == null) {
      // In the place of the same version and of no later one.
      return new Order(Document.deleted(difference.key()), stored.version(), "external_gte");
    }
    if (versioned == Versioned.BY_ROW) {
      // Where nothing is, the engine may remember the version of what was, for a minute.
      return new Order(
          document,
          number(Objects.requireNonNull(document.revision())),
          stored.version() == 0 ? "external_gte" : "external");
    }
    return stored.version() == 0
        ? new Order(document, 1, "external")
        : new Order(document, stored.version(), "external_gte");
  }

  private static long number(String revision) throws IOException {
    try {
      long version = Long.parseLong(revision);
      if (version >= 1) {
        return version;
      }
    } catch (NumberFormatException e) {
      throw new IOException("its version is no whole number", e);
    }
    throw new IOException("its version is less than 1");
  }

  private void write(List<Order> orders, Map<String, Repaired> results) {
    List<Order> batch = new ArrayList<>();
    ByteArrayOutputStream body = new ByteArrayOutputStream();
    for (Order order : orders) {
      try {
        append(order, body);
        batch.add(order);
      } catch (IOException e) {
        results.put(order.document().id(), new Repaired.Refused(String.valueOf(e.getMessage())));
      }
      if (body.size() >= Bulk.BYTES_AT_MOST) {
        send(batch, body, results);
        batch = new ArrayList<>();
        body = new ByteArrayOutputStream();
      }
    }
    if (!batch.isEmpty()) {
      send(batch, body, results);
    }
  }

  private void append(Order order, ByteArrayOutputStream body) throws IOException {
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    ObjectNode line = Json.object();
    line.putObject("index")
        .put("_id", order.document().id())
        .put("version", order.version())
        .put("version_type", order.versionType());
    lines.writeBytes(Json.bytes(line));
    lines.write('\n');
    String json = order.document().json();
    if (json == null) {
      lines.writeBytes(Json.bytes(Tombstone.of(order.version(), index.clock().instant())));
    } else {
      Json.copyObject(json, Compared.fields(order.document(), order.version()), lines);
    }
    lines.write('\n');
    lines.writeTo(body);
  }

  private void send(List<Order> batch, ByteArrayOutputStream body, Map<String, Repaired> results) {
    SearchEngine.Answer answer =
        index.ask(
            "POST",
            "/"
                + index.name()
                + "/_bulk?require_alias=true&filter_path=items.*.status,items.*.error.type,items.*.error.reason",
            "application/x-ndjson",
            body.toByteArray());
    index.require(answer, "repair the " + index);
    JsonNode items = index.parsed(answer).path("items");
    for (int i = 0; i < batch.size(); i++) {
      results.put(batch.get(i).document().id(), judge(items.path(i).path("index")));
    }
  }

  private Repaired judge(JsonNode item) {
    int status = item.path("status").asInt();
    if (status >= 200 && status < 300) {
      return new Repaired.Done();
    }
    if (status == 409) {
      return new Repaired.Overtaken();
    }
    if (status == 400) {
      return new Repaired.Refused(why(item.path("error")));
    }
    throw new SearchEngineFailure(
        "A document could not be repaired: %s answered %d (%s). Those before are. Run it again."
            .formatted(index.engine(), status, item.path("error").path("type").asText()),
        status);
  }

  /** Without the value, which the engine adds behind the field. */
  private static String why(JsonNode error) {
    String reason = error.path("type").asText() + ": " + error.path("reason").asText();
    int value = reason.indexOf(" Preview of field");
    String without = value < 0 ? reason : reason.substring(0, value);
    return without.length() > 200 ? without.substring(0, 200) + "…" : without;
  }
}
