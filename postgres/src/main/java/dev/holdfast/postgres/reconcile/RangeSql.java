package dev.holdfast.postgres.reconcile;

/**
 * The statements of a side. No locks; each is one snapshot.
 *
 * @param key the key as text
 * @param version the version as text, never null
 * @param changedAt a timestamptz, null where it is not known
 * @param where the condition of all rows
 */
record RangeSql(
    String relation,
    String key,
    String version,
    String changedAt,
    boolean knowsChanges,
    String where) {

  String point() {
    return "('x' || substr(md5(%s), 1, 12))::bit(48)::bigint".formatted(key);
  }

  private String fingerprint() {
    return "('x' || substr(md5(md5(%s) || %s), 1, 16))::bit(64)::bigint".formatted(key, version);
  }

  private String rows(boolean cutOff) {
    // Without a point there is no key.
    return where
        + " and "
        + key
        + " is not null"
        + (cutOff ? " and (%s < ? or %s is null)".formatted(changedAt, changedAt) : "");
  }

  /**
   * Parts of all, by one reading of the table. Parameters: the time, if any, and the ranges' first
   * points divided by their width.
   */
  String sums(boolean cutOff, long partWidth, long rangeWidth) {
    return """
        select %s / %d, count(*), sum(%s) from %s
        where %s and %s / %d = any(?) group by 1
        """
        .formatted(point(), partWidth, fingerprint(), relation, rows(cutOff), point(), rangeWidth);
  }

  /** The same by the index on the point. Parameters: the ranges' first points, and the time. */
  String sumsByIndex(boolean cutOff, long partWidth, long rangeWidth) {
    return """
        select part.* from unnest(?::bigint[]) as asked(holdfast_from),
          lateral (select %s / %d, count(*), sum(%s) from %s
                   where %s >= holdfast_from and %s < holdfast_from + %d and %s group by 1) as part
        """
        .formatted(
            point(),
            partWidth,
            fingerprint(),
            relation,
            point(),
            point(),
            rangeWidth,
            rows(cutOff));
  }

  /** As {@link #sums}; the last parameter is how many. */
  String list(boolean cutOff, long rangeWidth) {
    return "select %s, %s, %s from %s where %s and %s / %d = any(?) limit ?"
        .formatted(key, version, changedAt, relation, rows(cutOff), point(), rangeWidth);
  }

  String listByIndex(boolean cutOff, long rangeWidth) {
    return """
        select found.* from unnest(?::bigint[]) as asked(holdfast_from),
          lateral (select %s, %s, %s from %s
                   where %s >= holdfast_from and %s < holdfast_from + %d and %s) as found
        limit ?
        """
        .formatted(key, version, changedAt, relation, point(), point(), rangeWidth, rows(cutOff));
  }

  /** The rows of keys. The parameter: the keys, or their points first. */
  String read(String condition) {
    return "select %s, %s, %s from %s where %s and %s"
        .formatted(key, version, changedAt, relation, condition, rows(false));
  }

  /** With the row as JSON, of so many columns. */
  String readRows(String condition, String columns) {
    return "select %s, %s, %s, (select row_to_json(holdfast_row) from (select %s) as holdfast_row)::text from %s where %s and %s"
        .formatted(key, version, changedAt, columns, relation, condition, rows(false));
  }

  /** How a narrow range would be found; names every expression. */
  String explain() {
    return "explain (format json) select sum(%s), max(%s) from %s where %s >= 0 and %s < %d and %s"
        .formatted(fingerprint(), changedAt, relation, point(), point(), 1L << 32, rows(false));
  }
}
