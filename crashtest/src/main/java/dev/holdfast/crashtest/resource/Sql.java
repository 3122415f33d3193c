package dev.holdfast.crashtest.resource;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What can be told of SQL by its text alone. A statement counts as a write unless it is known to
 * read: a point too many costs a run, one too few hides a failure. So a {@code select} that calls a
 * function that is not known here is a write.
 *
 * @param text the statements without values, on one line
 * @param writes whether it changes something
 * @param begins whether it opens a transaction by its text
 * @param commits whether it commits, or prepares, by its text
 * @param rollsBack whether it rolls back by its text
 */
record Sql(String text, boolean writes, boolean begins, boolean commits, boolean rollsBack) {
  private static final Pattern LITERAL = Pattern.compile("'(?:[^']|'')*'|\\$(\\w*)\\$.*?\\$\\1\\$");
  private static final Pattern COMMENT = Pattern.compile("--[^\\n]*|/\\*.*?\\*/", Pattern.DOTALL);
  private static final Pattern NUMBER = Pattern.compile("(?<![\\w.\"$])-?\\d+(?:\\.\\d+)?\\b");
  private static final Pattern SPACE = Pattern.compile("\\s+");

  /** As many values or rows as there happen to be are one, or batching would move points. */
  private static final Pattern VALUES = Pattern.compile("\\?( ?, ?\\?)+");

  private static final Pattern ROWS = Pattern.compile("\\( ?\\? ?\\)( ?, ?\\( ?\\? ?\\))*");

  private static final Pattern FUNCTION = Pattern.compile("([a-z_][\\w.\"]*)\\s*\\(");
  private static final Pattern CHANGES =
      Pattern.compile("\\b(insert|update|delete|merge|truncate|call|do|copy)\\b");
  private static final Pattern ROW_LOCK =
      Pattern.compile("\\bfor\\s+(no\\s+key\\s+)?(update|share|key\\s+share)\\b");
  private static final Pattern COMMITS =
      Pattern.compile("(commit|end)( (work|transaction))?( prepared \\?)?|prepare transaction \\?");

  private static final Set<String> READS =
      Set.of("select", "with", "values", "table", "explain", "show");
  private static final Set<String> SESSION =
      Set.of(
          "set",
          "reset",
          "listen",
          "unlisten",
          "fetch",
          "declare",
          "close",
          "lock",
          "savepoint",
          "release",
          "discard",
          "deallocate",
          "begin",
          "start",
          "rollback",
          "commit",
          "end");
  private static final Set<String> READING_FUNCTIONS =
      Set.of(
          ("abs all and any array array_agg array_length array_to_string as avg between bool_and"
                  + " bool_or by case cast ceil char char_length clock_timestamp coalesce concat"
                  + " count cube current_schema current_setting currval date_part date_trunc"
                  + " decimal dense_rank distinct else encode except exists extract filter"
                  + " first_value floor format from gen_random_uuid generate_series greatest"
                  + " group hashtext hashtextextended having if in inet_client_port"
                  + " inet_server_addr inet_server_port intersect interval is join json_agg"
                  + " json_build_object jsonb_agg jsonb_build_object lag last_value lastval"
                  + " lateral lead least left length like limit lower make_interval materialized"
                  + " max md5 min mod nextval not now ntile nullif numeric octet_length offset on"
                  + " or over partition position quote_ident quote_literal random rank regexp_replace"
                  + " replace right round row row_number rollup row_to_json select setseed"
                  + " split_part starts_with statement_timestamp string_agg strpos substr"
                  + " substring sum then timestamp timestamptz to_char to_date to_json to_jsonb"
                  + " to_regclass to_timestamp transaction_timestamp trim txid_current"
                  + " txid_status union unnest upper using values varchar version when where"
                  + " with")
              .split(" "));
  private static final Set<String> WRITING_BUILT_INS =
      Set.of("pg_notify", "pg_logical_emit_message", "pg_switch_wal", "pg_create_restore_point");

  static Sql of(String sql) {
    String text = LITERAL.matcher(COMMENT.matcher(sql).replaceAll(" ")).replaceAll("?");
    text = NUMBER.matcher(text).replaceAll("?");
    text = SPACE.matcher(text).replaceAll(" ").strip();
    text = ROWS.matcher(VALUES.matcher(text).replaceAll("?")).replaceAll("(?)");
    boolean writes = false;
    boolean begins = false;
    boolean commits = false;
    boolean rollsBack = false;
    List<String> statements = new ArrayList<>();
    for (String part : text.split(";")) {
      String statement = part.strip();
      if (statement.isEmpty()) {
        continue;
      }
      statements.add(statement);
      String lower = statement.toLowerCase(Locale.ROOT);
      writes |= writes(lower);
      begins |= lower.startsWith("begin") || lower.startsWith("start transaction");
      commits |= COMMITS.matcher(lower).matches();
      rollsBack |= lower.startsWith("rollback") && !lower.contains(" to ");
    }
    return new Sql(String.join("; ", statements), writes, begins, commits, rollsBack);
  }

  private static boolean writes(String lower) {
    String first = lower.split("[\\s(]", 2)[0];
    if (SESSION.contains(first)) {
      return lower.startsWith("rollback prepared");
    }
    if (!READS.contains(first)) {
      return true;
    }
    String unlocked = ROW_LOCK.matcher(lower).replaceAll(" ");
    return CHANGES.matcher(unlocked).find() || callsWritingFunction(unlocked);
  }

  private static boolean callsWritingFunction(String lower) {
    Matcher calls = FUNCTION.matcher(lower);
    while (calls.find()) {
      String name = calls.group(1).replace("\"", "").replaceFirst("^pg_catalog\\.", "");
      boolean reading =
          name.startsWith("pg_")
              ? !WRITING_BUILT_INS.contains(name)
              : READING_FUNCTIONS.contains(name);
      if (!reading) {
        return true;
      }
    }
    return false;
  }
}
