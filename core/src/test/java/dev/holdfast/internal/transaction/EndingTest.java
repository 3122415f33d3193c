package dev.holdfast.internal.transaction;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Which SQL ends a transaction, and which only looks as if it did. */
final class EndingTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "commit",
        "Commit",
        "COMMIT AND CHAIN",
        "commit;",
        "\n;;\t/* of what\n is done */ -- now\n ;Commit;",
        "/* one /* in another */ of them */ commit",
        "--x\rcommit",
        "--x\n\rcommit",
        "end",
        "end/**/",
        "rollback",
        "rollback work",
        "rollback/* to a */",
        "rollback -- to\n",
        "rollback transaction and chain",
        "rollback total",
        "abort",
        "prepare transaction 'x'",
        "prepare/**/transaction 'x'",
        "prepare--\ntransaction 'x'",
        "begin; insert into t values (1); commit;",
        "select ';'; commit",
        "select 'it''s'; commit",
        "select E'a\\\\'; commit",
        "select \"a;\"\"b\"; commit",
        "select $$;$$; commit",
        "select $a$;$$;$a$; commit",
        "select $1; commit",
        "select a$1$ from t; commit; select $1$",
        "select 1 /* ; */; -- ;\n rollback",
        "rollback to a; rollback",
        "prepare p as select 1; end"
      })
  void itEnds(String sql) {
    assertThat(Ending.of(sql)).isNotNull();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ";",
        "--",
        "/*",
        "/* commit",
        "-- commit",
        "--x\u2028commit",
        "commits",
        "commit_log",
        "end$",
        "endé",
        "with commit as (select 1) select * from commit",
        "insert into commit values (1)",
        "rollback to a",
        "rollback /* x */ to a",
        "rollback work to savepoint a",
        "rollback transaction--\nto a",
        "ROLLBACK TO a; select 1",
        "abort to a",
        "savepoint commit",
        "release savepoint a",
        "prepare transactions as select 1",
        "prepare p as select 1",
        "begin",
        "call commit()",
        "select 1;",
        "select '; commit'",
        "select '; ''; commit'",
        "select 'it\\'s; commit'",
        "select E'\\'; commit'",
        "select e'\\\\\\'; commit'",
        "select \"; commit\"",
        "select $$; commit$$",
        "select $a$; $$; commit; $b$; commit$a$",
        "select 1 -- ; commit",
        "select 1 /* ; commit */; select 2",
        "do $do$ begin perform 1; end $do$",
        "create function f() returns int begin atomic select 1; select 2; end",
        "select '",
        "select \"",
        "select $$",
        "select E'\\",
        "select 1; /* commit"
      })
  void itDoesNot(String sql) {
    assertThat(Ending.of(sql)).isNull();
  }

  @Test
  void itIsNamed() {
    assertThat(Ending.of("select 1; abort")).isEqualTo("ABORT");
    assertThat(Ending.of("prepare /* it */ transaction 'x'")).isEqualTo("PREPARE TRANSACTION");
  }
}
