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
 * @param ending how it ends one by its text; the last ending of several statements
 */
record Sql(String text, boolean writes, boolean begins, Ending ending) {

  /** What becomes of a transaction. */
  enum Ending {
    NONE(""),
    COMMIT("commit"),
    ROLLBACK("rollback"),
    /** It waits for its second phase, and survives a crash of the database. */
    PREPARE("prepare"),
    /** One that was prepared before, perhaps by somebody else. */
    COMMIT_PREPARED("commit prepared"),
    ROLLBACK_PREPARED("rollback prepared");

    private final String action;

    Ending(String action) {
      this.action = action;
    }

    /** What it is called in a commit point. */
    String action() {
      return action;
    }

    /** Whether what the open transaction has written becomes durable by it. */
    boolean keeps() {
      return this == COMMIT || this == PREPARE;
    }

    /** Whether it ends another transaction than the open one. */
    boolean isSecondPhase() {
      return this == COMMIT_PREPARED || this == ROLLBACK_PREPARED;
    }
  }

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
  private static final Pattern COMMIT = Pattern.compile("(commit|end)( (work|transaction))?");

  /** What stands before a statement inside a block of MariaDB's. */
  private static final Pattern BLOCK =
      Pattern.compile("^(?:(?:begin not atomic|begin|else|if (?:(?!\\bthen\\b).)* then)\\s+)+");

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
          ("abs all and any array array_agg array_length array_to_string as avg between bit bool_and"
                  + " bool_or by case cast ceil char char_length clock_timestamp coalesce concat"
                  + " count cube current_database current_schema current_setting currval database date_part date_trunc"
                  + " decimal dense_rank distinct else encode except exists extract filter"
                  + " first_value floor format from gen_random_uuid generate_series greatest"
                  + " group has_function_privilege has_schema_privilege has_table_privilege hashtext"
                  + " hashtextextended having host if in inet_client_port"
                  + " inet_server_addr inet_server_port intersect interval is join json_agg"
                  + " json_build_object jsonb_agg jsonb_build_object lag last_value lastval"
                  + " lateral lead least left length like limit lower make_interval materialized"
                  + " max md5 min mod nextval not now ntile nullif numeric octet_length offset on"
                  + " or over partition position quote_ident quote_literal random rank regexp_replace"
                  + " replace right round row row_number rollup row_to_json select setseed"
                  + " split_part starts_with statement_timestamp string_agg string_to_array strpos substr"
                  + " substring sum then timestamp timestamptz to_char to_date to_json to_jsonb"
                  + " timestampdiff to_regclass to_timestamp transaction_timestamp trim txid_current"
                  + " txid_status union unix_timestamp unnest upper using utc_timestamp values varchar"
                  + " version when where with current_timestamp")
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
    Ending ending = Ending.NONE;
    List<String> statements = new ArrayList<>();
    boolean isBlock = text.toLowerCase(Locale.ROOT).startsWith("begin not atomic");
    for (String part : text.split(";")) {
      String statement = part.strip();
      if (statement.isEmpty()) {
        continue;
      }
      statements.add(statement);
      String lower = statement.toLowerCase(Locale.ROOT);
      if (isBlock) {
        // Its BEGIN and END begin and end no transaction.
        lower = BLOCK.matcher(lower).replaceFirst("");
        if (lower.matches("(end|declare|signal)\\b.*")) {
          continue;
        }
      }
      writes |= writes(lower);
      begins |= lower.matches("(begin|start transaction|xa (start|begin))\\b.*");
      Ending own = ending(lower);
      ending = own == Ending.NONE ? ending : own;
    }
    return new Sql(String.join("; ", statements), writes, begins, ending);
  }

  private static Ending ending(String lower) {
    if (COMMIT.matcher(lower).matches() || lower.matches("xa commit .* one phase")) {
      return Ending.COMMIT;
    }
    if (lower.startsWith("prepare transaction ") || lower.startsWith("xa prepare ")) {
      return Ending.PREPARE;
    }
    if (lower.startsWith("commit prepared ") || lower.startsWith("xa commit ")) {
      return Ending.COMMIT_PREPARED;
    }
    if (lower.startsWith("rollback prepared ") || lower.startsWith("xa rollback ")) {
      return Ending.ROLLBACK_PREPARED;
    }
    return lower.startsWith("rollback") && !lower.contains(" to ") ? Ending.ROLLBACK : Ending.NONE;
  }

  private static boolean writes(String lower) {
    String first = lower.split("[\\s(]", 2)[0];
    // How a transaction ends is told apart from what it writes.
    if (SESSION.contains(first) || first.equals("xa") || lower.startsWith("prepare transaction")) {
      return false;
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
