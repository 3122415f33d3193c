package dev.holdfast.crashtest.resource;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.resource.Sql.Ending;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
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
    assertThat(Sql.of(sql).ending()).isEqualTo(Ending.NONE);
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
        "select host(inet_server_addr()), ('x' || 'ff')::bit(32)::bigint, current_database()",
        "select unix_timestamp(current_timestamp(6)), database()",
        "select has_table_privilege(c.oid, ?) from pg_class c where c.relname = any (string_to_array(?, ' '))",
        "select has_function_privilege(f.oid, 'execute') from pg_proc f",
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
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      textBlock =
          """
          commit                                           | COMMIT
          COMMIT;                                          | COMMIT
          select holdfast.publish(?); commit               | COMMIT
          insert into t values (1); end                    | COMMIT
          rollback                                         | ROLLBACK
          rollback to savepoint a                          | NONE
          prepare transaction 'gid-17'                     | PREPARE
          select holdfast.witness(?); PREPARE TRANSACTION 'gid-17' | PREPARE
          commit prepared 'gid-17'                         | COMMIT_PREPARED
          ROLLBACK PREPARED 'gid-17'                       | ROLLBACK_PREPARED
          xa start 'a','b',1                               | NONE
          xa end 'a','b',1                                 | NONE
          XA PREPARE 'a','b',1                             | PREPARE
          xa commit 'a','b',1 one phase                    | COMMIT
          xa commit x'61','b',1                            | COMMIT_PREPARED
          xa rollback 'a'                                  | ROLLBACK_PREPARED
          xa recover                                       | NONE
          prepare a as select 1                            | NONE
          """)
  void ends(String sql, Ending ending) {
    assertThat(Sql.of(sql).ending()).isEqualTo(ending);
  }

  @Test
  void anEndOfACaseIsNotACommit() {
    assertThat(Sql.of("update t set a = case when b then 1 else 2 end").ending())
        .isEqualTo(Ending.NONE);
  }

  @Test
  void aTransactionIsBegunByItsText() {
    assertThat(Sql.of("begin").begins()).isTrue();
    assertThat(Sql.of("start transaction").begins()).isTrue();
    assertThat(Sql.of("xa start 'a','b',1").begins()).isTrue();
    assertThat(Sql.of("xa start 'a','b',1").writes()).isFalse();
  }

  /** Its BEGIN and END are no transaction's. */
  @Test
  void aBlockOfMariaDbIsWhatItsStatementsAre() {
    Sql begins = Sql.of("begin not atomic set @a = @@b; xa start 'a','b',1; end");
    assertThat(begins.begins()).isTrue();
    assertThat(begins.writes()).isFalse();
    assertThat(begins.ending()).isEqualTo(Ending.NONE);

    Sql prepares =
        Sql.of(
            """
            begin not atomic
              declare known char(36);
              select token into known from claim where id = 'a' lock in share mode;
              if known is null or known <> 'b' then
                signal sqlstate 'HF010' set message_text = 'No.';
              end if;
              insert into witness values (1);
              xa end 'a','b',1;
              xa prepare 'a','b',1;
            end
            """);
    assertThat(prepares.begins()).isFalse();
    assertThat(prepares.writes()).isTrue();
    assertThat(prepares.ending()).isEqualTo(Ending.PREPARE);

    Sql rollsBack =
        Sql.of(
            """
            begin not atomic
              if @a is not null then set session b = @a; set @a = null; end if;
              begin declare continue handler for sqlexception begin end; xa end 'a'; end;
              xa rollback 'a';
            end
            """);
    assertThat(rollsBack.begins()).isFalse();
    assertThat(rollsBack.writes()).isFalse();
    assertThat(rollsBack.ending()).isEqualTo(Ending.ROLLBACK_PREPARED);
  }

  @Test
  void valuesAndTheirNumberDoNotCount() {
    String one = Sql.of("insert into t2 (a, b) values ('x''y', -1.5)").text();
    String other = Sql.of("insert  into t2 (a, b)\n values (?, ?), (?, ?), ( ?, ?)").text();
    assertThat(one).isEqualTo("insert into t2 (a, b) values (?)");
    assertThat(other).isEqualTo(one);
  }
}
