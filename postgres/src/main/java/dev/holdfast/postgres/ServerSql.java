package dev.holdfast.postgres;

import dev.holdfast.twophase.store.Server;
import java.sql.ResultSet;
import java.sql.SQLException;

/** Which server this is, in SQL. */
final class ServerSql {
  /**
   * The columns of a {@link Server}. Fails on a standby, which can neither decide nor prepare.
   *
   * <p>The start as a number: as text it would follow the time zone of whoever asks.
   *
   * <p>Behind a pooler the address is the one at which the pooler reached the server.
   */
  static final String COLUMNS =
      """
      (select system_identifier from pg_control_system())::text as system,
      (select oid from pg_database where datname = current_database())::text as database,
      ('x' || substr(pg_walfile_name(pg_current_wal_insert_lsn()), 1, 8))::bit(32)::bigint
        as timeline,
      coalesce(host(inet_server_addr()) || ':' || inet_server_port(),
               'socket:' || current_setting('port')) as place,
      extract(epoch from pg_postmaster_start_time())::text as started
      """;

  private ServerSql() {}

  static Server read(ResultSet row) throws SQLException {
    return new Server(
        row.getString("system"),
        row.getString("database"),
        row.getLong("timeline"),
        row.getString("place"),
        row.getString("started"));
  }
}
