package dev.holdfast.crashtest.resource;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class SqlTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "insert into t values (1)",
        "UPDATE t set a = 1",
        "with gone as (delete from t returning a) select count(*) from gone",
        "select holdfast.publish(?, ?)",
        "select my_function(?)",
        "select * from enqueue(?)",
        "select pg_notify('a', 'b')",
        "select pg_logical_emit_message(true, 'a', 'b')",
        "copy t from stdin",
        "create table t (a int)",
        "explain analyze insert into t values (1)",
      })
  void writes(String sql) {
    assertThat(Sql.of(sql).writes()).isTrue();
    assertThat(Sql.of(sql).commits()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "select 1",
        "select count(*) from t where a in (?, ?) and b = coalesce(?, 'insert')",
        "select a from t where id = ? for update skip locked",
        "select a from t for no key update",
        "select pg_current_snapshot(), pg_current_wal_flush_lsn()",
        "select a from t where a = any(array(select pg_snapshot_xip(?)))",
        "with x as (select 1) select * from x",
        "-- delete from t\nselect 1",
        "set local lock_timeout = '1s'",
        "listen wake_up",
        "show server_version",
        "select updated_at, deleted from t",
      })
  void reads(String sql) {
    assertThat(Sql.of(sql).writes()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "commit",
        "COMMIT;",
        "select holdfast.publish(?); commit",
        "insert into t values (1); end",
        "prepare transaction 'gid-17'",
        "commit prepared 'gid-17'",
      })
  void commits(String sql) {
    assertThat(Sql.of(sql).commits()).isTrue();
  }

  @Test
  void anEndOfACaseIsNotACommit() {
    assertThat(Sql.of("update t set a = case when b then 1 else 2 end").commits()).isFalse();
  }

  @Test
  void valuesAndTheirNumberDoNotCount() {
    String one = Sql.of("insert into t2 (a, b) values ('x''y', -1.5)").text();
    String other = Sql.of("insert  into t2 (a, b)\n values (?, ?), (?, ?), ( ?, ?)").text();
    assertThat(one).isEqualTo("insert into t2 (a, b) values (?)");
    assertThat(other).isEqualTo(one);
  }
}
