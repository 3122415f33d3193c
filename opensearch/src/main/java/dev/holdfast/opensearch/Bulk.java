package dev.holdfast.opensearch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/** One request that writes several documents, each by itself. Used once, by one thread. */
final class Bulk {
  static final int DOCUMENTS_AT_MOST = 1_000;
  static final int BYTES_AT_MOST = 5 << 20;

  private static final int ID_BYTES_AT_MOST = 512;

  /** What became of one document. */
  sealed interface Written {
    /** It is there, or a later version of it is. */
    record Done() implements Written {}

    /** It never will be, for what it is. */
    record Refused(String why) implements Written {}

    /** It may be there, or not. */
    record NotNow(String why) implements Written {}

    /** It is not there: the engine takes less at once. */
    record TooMuch(String why) implements Written {}
  }

  private final String index;
  private final int documentsAtMost;
  private final boolean comparable;
  private final ByteArrayOutputStream body = new ByteArrayOutputStream();
  private int size;

  /**
   * @param index an alias
   * @param comparable whether documents say what they are compared by
   */
  Bulk(String index, int documentsAtMost, boolean comparable) {
    this.index = index;
    this.documentsAtMost = documentsAtMost;
    this.comparable = comparable;
  }

  Bulk(String index, int documentsAtMost) {
    this(index, documentsAtMost, false);
  }

  int size() {
    return size;
  }

  boolean isFull() {
    return size >= documentsAtMost || body.size() >= BYTES_AT_MOST;
  }

  /**
   * Adds a document.
   *
   * @throws IOException when it cannot be sent for what it is; nothing was added
   */
  void add(Document document, long version, Instant now) throws IOException {
    int idBytes = document.id().getBytes(StandardCharsets.UTF_8).length;
    if (idBytes == 0 || idBytes > ID_BYTES_AT_MOST) {
      throw new IOException(
          "its id has %d bytes, and must have 1 to %d".formatted(idBytes, ID_BYTES_AT_MOST));
    }
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(document.id())) {
      throw new IOException("its id is no text: it has half of a surrogate pair");
    }
    if (version < 1) {
      throw new IOException("its version is " + version + ", and must be 1 or more");
    }
    ByteArrayOutputStream lines = new ByteArrayOutputStream();
    ObjectNode order = Json.object();
    order
        .putObject("index")
        .put("_id", document.id())
        .put("version", version)
        .put("version_type", "external");
    lines.writeBytes(Json.bytes(order));
    lines.write('\n');
    String json = document.json();
    if (json == null) {
      lines.writeBytes(Json.bytes(Tombstone.of(version, now)));
    } else {
      Json.copyObject(json, comparable ? Compared.fields(document, version) : Json.object(), lines);
    }
    lines.write('\n');
    lines.writeTo(body);
    size++;
  }

  /**
   * Sends it.
   *
   * @return for each document, in their order, what became of it
   */
  List<Written> send(SearchEngine engine) throws InterruptedException {
    SearchEngine.Answer answer;
    try {
      answer =
          engine.ask(
              "POST",
              "/"
                  + index
                  // An index that is gone is not made anew without its mapping.
                  + "/_bulk?require_alias=true&filter_path=items.*.status,items.*.error.type,items.*.error.reason",
              "application/x-ndjson",
              body.toByteArray());
    } catch (IOException e) {
      return all(new Written.NotNow(String.valueOf(e.getMessage())));
    }
    if (answer.status() == 413) {
      return all(
          size == 1
              ? new Written.Refused("it is larger than the engine takes in one request")
              : new Written.TooMuch("a request was too large"));
    }
    if (answer.status() == 429) {
      return all(new Written.TooMuch("it has too much to do"));
    }
    if (answer.status() != 200) {
      return all(new Written.NotNow("it answered " + answer.status()));
    }
    try {
      return judged(Json.read(answer.body()).path("items"));
    } catch (IOException e) {
      return all(new Written.NotNow("its answer is no JSON"));
    }
  }

  private List<Written> judged(JsonNode items) {
    if (items.size() != size) {
      return all(new Written.NotNow("its answer is about " + items.size() + " documents"));
    }
    List<Written> result = new ArrayList<>(size);
    for (Iterator<JsonNode> all = items.elements(); all.hasNext(); ) {
      result.add(judge(all.next().path("index")));
    }
    return result;
  }

  private Written judge(JsonNode item) {
    int status = item.path("status").asInt();
    String type = item.path("error").path("type").asText();
    String reason = bounded(type + ": " + item.path("error").path("reason").asText());
    if ((status >= 200 && status < 300)
        // Its version is not greater than that which is there.
        || status == 409) {
      return new Written.Done();
    }
    if (status == 404) {
      return new Written.NotNow(
          "there is no alias %s (%s). Nothing was written there. Make the index again and rebuild it"
              .formatted(index, reason));
    }
    if (status == 400 && isOfTheIndex(type, reason)) {
      return new Written.NotNow("it takes nothing for " + index + ", " + reason);
    }
    if (status == 400) {
      return new Written.Refused(reason);
    }
    if (status == 429) {
      return new Written.TooMuch("it has too much to do, " + reason);
    }
    return new Written.NotNow("it answered " + status + " for a document, " + reason);
  }

  /** What it answers for any document, though it says so for each as if it were its own. */
  private static boolean isOfTheIndex(String type, String reason) {
    return type.equals("index_closed_exception") || reason.contains("no write index is defined");
  }

  private static String bounded(String reason) {
    return reason.length() > 500 ? reason.substring(0, 500) + "…" : reason;
  }

  private List<Written> all(Written one) {
    return Collections.nCopies(size, one);
  }
}
