package dev.holdfast.opensearch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.holdfast.InvalidConfiguration;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Iterator;
import java.util.Optional;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * An index for one kind of documents, known by an alias: what is searched, and written to, is
 * {@code orders}; what it stands for is {@code orders.1}, and after a rebuild {@code orders.2}.
 *
 * <p>Every document is written with a version of the sender's, and the engine refuses one that is
 * not greater than what it has: whatever is repeated, delayed or overtaken, the last state stays. A
 * deleted document is replaced by a tombstone with a version of its own, which the alias hides from
 * whoever searches, and which is removed when nothing older can arrive any more.
 *
 * <p>Immutable and thread-safe.
 */
public final class SearchIndex {
  /** Behind the name of an index, which has no full stop, that of the one being rebuilt. */
  private static final String REBUILT = ".rebuilt";

  private static final Pattern NAME = Pattern.compile("[a-z0-9][a-z0-9_-]{0,99}");

  private final SearchEngine engine;
  private final String name;
  private final ObjectNode definition;
  private final Duration tombstonesKept;
  private final InstantSource clock;
  private final boolean comparable;

  private SearchIndex(
      SearchEngine engine,
      String name,
      ObjectNode definition,
      Duration tombstonesKept,
      InstantSource clock,
      boolean comparable) {
    this.engine = engine;
    this.name = name;
    this.definition = definition;
    this.tombstonesKept = tombstonesKept;
    this.clock = clock;
    this.comparable = comparable;
  }

  /**
   * An index by its alias.
   *
   * @param name 1 to 100 lower-case letters, digits, {@code _} and {@code -}
   */
  public static SearchIndex of(SearchEngine engine, String name) {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidConfiguration(
          "A search index is named \"%s\": names have 1 to 100 lower-case letters, digits, _ and -, and begin with a letter or a digit. Nothing was started."
              .formatted(name));
    }
    return new SearchIndex(
        engine, name, Json.object(), Duration.ofDays(7), InstantSource.system(), false);
  }

  /**
   * What it is made with, as the engine has it: an object with {@code settings} and {@code
   * mappings}. Fields whose names begin with {@code holdfast_} are added.
   *
   * @throws InvalidConfiguration when it is no JSON object
   */
  public SearchIndex definition(String json) {
    try {
      return new SearchIndex(
          engine, name, Json.readObject(json), tombstonesKept, clock, comparable);
    } catch (IOException e) {
      throw new InvalidConfiguration(
          "The definition of the search index %s cannot be read: %s. Nothing was started."
              .formatted(name, e.getMessage()));
    }
  }

  /**
   * For how long a tombstone is kept at least; 1 minute to 3,650 days, default 7 days. What is sent
   * later than that after a delete, by a process that was stopped for so long, may bring the
   * document back.
   */
  public SearchIndex tombstonesKept(Duration value) {
    if (value.compareTo(Duration.ofMinutes(1)) < 0 || value.compareTo(Duration.ofDays(3_650)) > 0) {
      throw new InvalidConfiguration(
          "Tombstones of the search index %s are to be kept for %s: 1 minute to 3,650 days can be. Nothing was started."
              .formatted(name, value));
    }
    return new SearchIndex(engine, name, definition, value, clock, comparable);
  }

  /** With another clock than the system's for when tombstones are written. */
  public SearchIndex clock(InstantSource value) {
    return new SearchIndex(engine, name, definition, tombstonesKept, value, comparable);
  }

  /**
   * Has documents say what they are compared by, so that they can be reconciled with a source: six
   * fields more of each, named {@code holdfast_…}, which {@code _source} shows and no search meets
   * unless it names them. An index that was made without has to be rebuilt.
   */
  public SearchIndex comparable() {
    return new SearchIndex(engine, name, definition, tombstonesKept, clock, true);
  }

  /** The alias. */
  public String name() {
    return name;
  }

  SearchEngine engine() {
    return engine;
  }

  Duration tombstonesKept() {
    return tombstonesKept;
  }

  boolean isComparable() {
    return comparable;
  }

  InstantSource clock() {
    return clock;
  }

  /**
   * Makes the index and its alias where there is no alias yet; several may do so at once. What is
   * there is not compared with the definition.
   *
   * @return whether it was made by this
   * @throws SearchEngineFailure when the engine refuses it, or cannot be asked
   */
  public boolean create() {
    if (physical().isPresent()) {
      return false;
    }
    ObjectNode body = body();
    body.putObject("aliases").putObject(name).set("filter", Tombstone.filter());
    SearchEngine.Answer answer = ask("PUT", "/" + generation(1), body);
    if (isError(answer, "resource_already_exists_exception")) {
      // By somebody else just now, or it has lost its alias.
      if (physical().isPresent()) {
        return false;
      }
      throw new SearchEngineFailure(
          "There is an index %s at %s without the alias %s, so none was made. Give it the alias, or delete it."
              .formatted(generation(1), engine, name),
          answer.status());
    }
    require(answer, "make the index " + name);
    return true;
  }

  private ObjectNode body() {
    ObjectNode body = definition.deepCopy();
    Tombstone.addTo(body.withObjectProperty("mappings"));
    if (comparable) {
      Compared.addTo(body.withObjectProperty("mappings"));
    }
    return body;
  }

  private String generation(long number) {
    return name + "." + number;
  }

  /**
   * The index that the alias stands for; empty when there is no alias.
   *
   * @throws SearchEngineFailure when the engine cannot be asked, or the alias stands for several
   */
  public Optional<String> physical() {
    SearchEngine.Answer answer = ask("GET", "/_alias/" + name, null);
    if (answer.status() == 404) {
      return Optional.empty();
    }
    require(answer, "look for the alias " + name);
    JsonNode indexes = parsed(answer);
    if (indexes.size() != 1) {
      throw new SearchEngineFailure(
          "The alias %s at %s stands for %d indexes, and should for one. Nothing was changed."
              .formatted(name, engine, indexes.size()),
          answer.status());
    }
    return Optional.of(indexes.fieldNames().next());
  }

  /**
   * Makes the index anew beside the one that is searched: empty, under the next number, and with an
   * alias of its own. One that a rebuild before has left there unfinished is deleted.
   *
   * @return to be written to; searched by its {@link #name()} where somebody wants to compare
   * @throws SearchEngineFailure when the engine refuses it, or cannot be asked
   */
  public SearchIndex beginRebuild() {
    String live =
        physical()
            .orElseThrow(
                () ->
                    new SearchEngineFailure(
                        "There is no alias %s at %s, so nothing can be rebuilt beside it. Call create() first."
                            .formatted(name, engine),
                        404));
    String next = generation(numberOf(live) + 1);
    SearchEngine.Answer gone = ask("DELETE", "/" + next, null);
    if (gone.status() != 404) {
      require(gone, "delete the unfinished index " + next);
    }
    SearchIndex rebuilt = rebuilt();
    rebuilt
        .physical()
        .ifPresent(rebuilt::loseAlias); // Since a rebuild before: see switchToRebuilt.
    ObjectNode body = body();
    body.putObject("aliases").putObject(rebuilt.name).set("filter", Tombstone.filter());
    require(ask("PUT", "/" + next, body), "make the index " + next);
    return rebuilt;
  }

  private void loseAlias(String physical) {
    ObjectNode body = Json.object();
    body.putArray("actions")
        .addObject()
        .putObject("remove")
        .put("index", physical)
        .put("alias", name);
    require(ask("POST", "/_aliases", body), "take the alias " + name + " away");
  }

  /** The one that is being rebuilt, for a process that has not begun it. */
  public SearchIndex rebuilt() {
    return new SearchIndex(engine, name + REBUILT, definition, tombstonesKept, clock, comparable);
  }

  private long numberOf(String physical) {
    String number = physical.substring(physical.lastIndexOf('.') + 1);
    try {
      return physical.startsWith(name + ".") ? Long.parseLong(number) : 0;
    } catch (NumberFormatException e) {
      return 0;
    }
  }

  /**
   * Gives the alias to the index that was rebuilt, in one step for whoever searches or writes by
   * it. The former one stays until somebody deletes it. Whoever rebuilds has to have come nearly as
   * far as whoever writes, or searches miss what is not there yet; and goes on behind the switch,
   * until it has come as far as the other was then: what that has written just before is in the
   * former index alone. So the rebuilt one keeps its alias until the next rebuild begins.
   *
   * @return the former one
   * @throws SearchEngineFailure when there is none of the two, or they are one already
   */
  public String switchToRebuilt() {
    String live = required(this);
    String rebuilt = required(rebuilt());
    if (live.equals(rebuilt)) {
      throw new SearchEngineFailure(
          "The alias %s at %s stands for %s already, which was rebuilt last. Nothing was switched."
              .formatted(name, engine, live),
          200);
    }
    ObjectNode body = Json.object();
    ArrayNode actions = body.putArray("actions");
    actions.addObject().putObject("remove").put("index", live).put("alias", name);
    actions
        .addObject()
        .putObject("add")
        .put("index", rebuilt)
        .put("alias", name)
        .set("filter", Tombstone.filter());
    require(ask("POST", "/_aliases", body), "switch the alias " + name);
    return live;
  }

  private static String required(SearchIndex index) {
    return index
        .physical()
        .orElseThrow(
            () ->
                new SearchEngineFailure(
                    "There is no alias %s at %s. Nothing was switched."
                        .formatted(index.name, index.engine),
                    404));
  }

  /** What was written is seen by whoever searches from now on; it would be a second later. */
  public void refresh() {
    require(ask("POST", "/" + name + "/_refresh", null), "refresh the index " + name);
  }

  /**
   * Removes tombstones that have been kept for long enough.
   *
   * @param below of versions below: those that are acknowledged and recorded as such, so that
   *     nobody sends anything older than the document's delete again; one of the last version below
   *     stays
   * @return how many
   */
  public long purgeTombstones(long below) {
    String physical = physical().orElse(null);
    if (physical == null) {
      return 0;
    }
    // For a minute the engine has the removal as the version behind the tombstone's, and refuses a
    // document of that version. So that one has to be acknowledged as well.
    ObjectNode query = Tombstone.olderThan(below - 1, clock.instant().minus(tombstonesKept));
    long removed = 0;
    while (true) {
      SearchEngine.Answer answer = ask("POST", "/" + physical + "/_search", query);
      require(answer, "look for tombstones of " + name);
      JsonNode hits = parsed(answer).path("hits").path("hits");
      long now = hits.isEmpty() ? 0 : remove(physical, hits);
      removed += now;
      if (now < Bulk.DOCUMENTS_AT_MOST) {
        return removed;
      }
    }
  }

  private long remove(String physical, JsonNode hits) {
    SearchEngine.Answer answer =
        ask(
            "POST",
            "/" + physical + "/_bulk?refresh=true",
            "application/x-ndjson",
            Tombstone.deletion(hits));
    require(answer, "remove tombstones of " + name);
    long removed = 0;
    for (JsonNode item : parsed(answer).path("items")) {
      removed += item.path("delete").path("status").asInt() == 200 ? 1 : 0;
    }
    return removed;
  }

  SearchEngine.Answer ask(String method, String path, @Nullable ObjectNode body) {
    return ask(method, path, "application/json", body == null ? null : Json.bytes(body));
  }

  SearchEngine.Answer ask(String method, String path, String contentType, byte @Nullable [] body) {
    try {
      return engine.ask(method, path, contentType, body);
    } catch (IOException e) {
      throw new SearchEngineFailure(
          "%s %s at %s: %s. It may have been done all the same; do it again."
              .formatted(method, path, engine, e.getMessage()),
          0,
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new SearchEngineFailure(
          "%s %s at %s was interrupted. It may have been done all the same."
              .formatted(method, path, engine),
          0,
          e);
    }
  }

  JsonNode parsed(SearchEngine.Answer answer) {
    try {
      return Json.read(answer.body());
    } catch (IOException e) {
      throw new SearchEngineFailure(
          "What %s answers is no JSON; is it OpenSearch?".formatted(engine), answer.status(), e);
    }
  }

  private boolean isError(SearchEngine.Answer answer, String type) {
    return answer.status() >= 400
        && parsed(answer).path("error").path("type").asText().equals(type);
  }

  void require(SearchEngine.Answer answer, String doing) {
    if (answer.status() >= 300) {
      JsonNode error = parsed(answer).path("error");
      throw new SearchEngineFailure(
          "Could not %s: %s answered %d (%s). Nothing was changed."
              .formatted(doing, engine, answer.status(), reason(error)),
          answer.status());
    }
  }

  private static String reason(JsonNode error) {
    String text = error.isTextual() ? error.asText() : error.path("reason").asText();
    for (Iterator<JsonNode> causes = error.path("root_cause").elements();
        text.isEmpty() && causes.hasNext(); ) {
      text = causes.next().path("reason").asText();
    }
    return text.length() > 500 ? text.substring(0, 500) + "…" : text;
  }

  @Override
  public String toString() {
    return "search index " + name + " at " + engine;
  }
}
