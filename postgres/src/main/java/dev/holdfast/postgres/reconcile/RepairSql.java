package dev.holdfast.postgres.reconcile;

import dev.holdfast.reconcile.Entry;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.postgresql.util.PSQLException;
import org.postgresql.util.ServerErrorMessage;

/**
 * The statements that repair a table. Each locks the rows that it changes, as any change does. At
 * READ COMMITTED a row that somebody has changed meanwhile is looked at again before it is changed,
 * so the expected version is compared with what is there then.
 *
 * @param columns not quoted
 */
record RepairSql(RangeSql table, String keyColumn, String keyType, List<String> columns) {
  private static final String ORDERS =
      "json_to_recordset(?::json) as asked(holdfast_key text, holdfast_version text, holdfast_changed timestamptz, holdfast_row json)";

  /** Quoted. */
  String copied() {
    return Sql.quoted(columns);
  }

  private String of(String alias) {
    return columns.stream()
        .map(column -> alias + "." + Sql.quoted(column))
        .collect(Collectors.joining(", "));
  }

  String insert() {
    return """
        insert into %s (%s) overriding system value
        select %s from %s, lateral json_populate_record(null::%s, holdfast_row) as new_row
        on conflict (%s) do nothing
        returning %s
        """
        .formatted(
            table.relation(),
            copied(),
            of("new_row"),
            ORDERS,
            table.relation(),
            Sql.quoted(keyColumn),
            table.key());
  }

  String update() {
    String set =
        columns.stream()
            .filter(column -> !column.equals(keyColumn))
            .map(column -> "%s = new_row.%s".formatted(Sql.quoted(column), Sql.quoted(column)))
            .collect(Collectors.joining(", "));
    return """
        update %s as old_row set %s
        from %s, lateral json_populate_record(null::%s, holdfast_row) as new_row
        where old_row.%s = holdfast_key::%s and %s
        returning holdfast_key
        """
        .formatted(
            table.relation(),
            set,
            ORDERS,
            table.relation(),
            Sql.quoted(keyColumn),
            keyType,
            isAsSeen());
  }

  String delete() {
    return """
        delete from %s as old_row using %s
        where old_row.%s = holdfast_key::%s and %s
        returning holdfast_key
        """
        .formatted(table.relation(), ORDERS, Sql.quoted(keyColumn), keyType, isAsSeen());
  }

  /** The expressions are over the columns of the table alone. */
  private String isAsSeen() {
    return """
        (select %s = holdfast_version and %s is not distinct from holdfast_changed
         from (select old_row.*) as seen)
        """
        .formatted(table.version(), table.changedAt());
  }

  static String json(List<PostgresRepair.Order> orders) {
    return orders.stream().map(RepairSql::json).collect(Collectors.joining(",", "[", "]"));
  }

  private static String json(PostgresRepair.Order order) {
    Entry seen = order.difference().derived();
    Instant changed = seen == null ? null : seen.changedAt();
    return "{\"holdfast_key\":%s,\"holdfast_version\":%s,\"holdfast_changed\":%s,\"holdfast_row\":%s}"
        .formatted(
            text(order.difference().key()),
            text(seen == null ? null : seen.version()),
            text(changed == null ? null : changed.toString()),
            order.row() == null ? "null" : order.row());
  }

  private static String text(@Nullable String value) {
    if (value == null) {
      return "null";
    }
    StringBuilder json = new StringBuilder("\"");
    for (int i = 0; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"' || c == '\\' || c < ' ') {
        json.append("\\u%04x".formatted((int) c));
      } else {
        json.append(c);
      }
    }
    return json.append('"').toString();
  }

  /** The name of what has refused the row, which no content is in. */
  static String constraint(SQLException error) {
    if (error instanceof PSQLException postgres) {
      ServerErrorMessage server = postgres.getServerErrorMessage();
      if (server != null && server.getConstraint() != null) {
        return ", constraint " + server.getConstraint();
      }
      if (server != null && server.getColumn() != null) {
        return ", column " + server.getColumn();
      }
    }
    return "";
  }
}
