package dev.holdfast.postgres;

import dev.holdfast.InvalidConfiguration;

/** What the database's user has to be allowed for operations across databases. */
final class Rights {
  /** Takes a function of version 6 by name, and tables with what is done to each. */
  private static final String MISSING =
      """
      select string_agg(what, ', ' order by what) from (
        select 'execute ' || f.proname as what, has_function_privilege(f.oid, 'execute') as has
        from pg_proc f join pg_namespace n on n.oid = f.pronamespace
        where n.nspname = '${schema}' and f.proname = ?
        union all
        select lower(right_of) || ' ' || c.relname, has_table_privilege(c.oid, right_of)
        from pg_class c join pg_namespace n on n.oid = c.relnamespace
          cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) as right_of
        where n.nspname = '${schema}' and c.relname = any (string_to_array(?, ' '))
      ) as wanted where not has
      """;

  private Rights() {}

  static void ofADecider(Database database) {
    require(database, "database that decides", "decide", "decision participant heuristic");
  }

  static void ofAParticipant(Database database) {
    require(database, "participant", "witness", "witness claim");
  }

  private static void require(Database database, String what, String function, String tables) {
    String missing =
        database.transact(
            "read what this user may do",
            connection ->
                database
                    .one(
                        connection,
                        MISSING,
                        row -> row.getString(1) == null ? "" : row.getString(1),
                        function,
                        tables)
                    .orElse(""));
    if (!missing.isEmpty()) {
      throw new InvalidConfiguration(
          "The user of the %s lacks rights in the schema %s: %s. Nothing was started. Grant it the role holdfast_writer, which holdfast schema print --roles makes."
              .formatted(what, database.schema().value(), missing));
    }
  }
}
