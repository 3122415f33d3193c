package dev.holdfast.postgres;

import java.util.Collections;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The table of another outbox, described in SQL, for a {@link Takeover}. Immutable.
 *
 * <p>Each part is an expression over one row {@code r} of the table. The same expressions move the
 * rows that are there and make the messages of a trigger, so that a consumer cannot tell one from
 * the other. They run as they are given: identifiers and literals in them must be quoted.
 */
public final class OldTable {

  /** What a row means. */
  public enum Part {
    /** The message's id, a {@code uuid}: the row's own, so that consumers know repeats by it. */
    ID("gen_random_uuid()"),
    TOPIC("null::text"),
    KEY("null::text"),
    TYPE("null::text"),
    CONTENT_TYPE("'application/json'"),
    /** A {@code bytea}, or null. */
    PAYLOAD("null::bytea"),
    /** A {@code jsonb} object of strings, or null. */
    HEADERS("null::jsonb"),
    DEDUPE_KEY("null::text"),
    /** Since when it has been waiting, a {@code timestamptz}. */
    WRITTEN_AT("null::timestamptz"),
    /** Whether it is to be moved: nobody has delivered it. */
    PENDING("true"),
    /** Why it is not moved though nobody has delivered it, a {@code text}; null when delivered. */
    LEFT("null::text"),
    /** The order in which rows were written, for {@code order by}; total. */
    ORDER("r.ctid");

    private final String unless;

    Part(String unless) {
      this.unless = unless;
    }
  }

  /** What becomes of a row that is inserted while the trigger is installed. */
  enum OnInsert {
    /** It stays, marked as delivered. */
    MARK,
    /** It is not inserted; the statement says that it wrote no row. */
    DROP,
    /** It is inserted as it is; nothing may read it any more. */
    KEEP
  }

  private final String name;
  private final Map<Part, String> parts;
  private final Map<String, String> marks;
  private final OnInsert onInsert;
  private final @Nullable String publication;

  private OldTable(
      String name,
      Map<Part, String> parts,
      Map<String, String> marks,
      OnInsert onInsert,
      @Nullable String publication) {
    this.name = name;
    this.parts = Collections.unmodifiableMap(parts);
    this.marks = Collections.unmodifiableMap(marks);
    this.onInsert = onInsert;
    this.publication = publication;
  }

  /**
   * @param name with its schema, quoted as SQL needs it
   */
  public static OldTable named(String name) {
    return new OldTable(name, new EnumMap<>(Part.class), Map.of(), OnInsert.DROP, null);
  }

  public OldTable with(Part part, String sql) {
    Map<Part, String> more = new EnumMap<>(Part.class);
    more.putAll(parts);
    more.put(part, sql);
    return new OldTable(name, more, marks, onInsert, publication);
  }

  /** How a row is marked as delivered. Rows of a table without marks are deleted when moved. */
  public OldTable marking(String column, String sql) {
    Map<String, String> more = new LinkedHashMap<>(marks);
    more.put(column, sql);
    return new OldTable(name, parts, more, OnInsert.MARK, publication);
  }

  /**
   * Rows that are inserted while the trigger is installed stay as they are, for a program that
   * insists on them. So that nobody reads them from the log, the table leaves a publication in the
   * trigger's transaction.
   *
   * @param publication quoted as SQL needs it; not one {@code for all tables}
   */
  public OldTable keepingInserts(String publication) {
    return new OldTable(name, parts, marks, OnInsert.KEEP, publication);
  }

  public String name() {
    return name;
  }

  String sql(Part part) {
    return parts.getOrDefault(part, part.unless);
  }

  OnInsert onInsert() {
    return onInsert;
  }

  @Nullable String publication() {
    return publication;
  }

  /** Columns of a message, over rows {@code r}. */
  String message() {
    return """
    %s as id, %s as topic, nullif(%s, '') as key, coalesce(%s, %s) as type,
    %s as content_type, %s as payload, %s as headers, %s as dedupe_key"""
        .formatted(
            sql(Part.ID),
            sql(Part.TOPIC),
            sql(Part.KEY),
            sql(Part.TYPE),
            sql(Part.TOPIC),
            sql(Part.CONTENT_TYPE),
            sql(Part.PAYLOAD),
            sql(Part.HEADERS),
            sql(Part.DEDUPE_KEY));
  }

  /** Makes rows at the places {@code ?} delivered. */
  String dispose() {
    if (marks.isEmpty()) {
      return "delete from %s r where r.ctid = any (?::text[]::tid[])".formatted(name);
    }
    StringBuilder set = new StringBuilder();
    marks.forEach(
        (column, sql) ->
            set.append(set.isEmpty() ? "" : ", ").append(column).append(" = ").append(sql));
    return "update %s r set %s where r.ctid = any (?::text[]::tid[])".formatted(name, set);
  }

  /** Makes the row {@code new} of a trigger delivered. */
  String markNew() {
    return "select %s into %s from (select new.*) as r;"
        .formatted(
            String.join(", ", marks.values()),
            String.join(", ", marks.keySet().stream().map(column -> "new." + column).toList()));
  }
}
