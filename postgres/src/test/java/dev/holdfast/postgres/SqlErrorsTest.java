package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import java.sql.SQLException;
import java.sql.SQLTransientConnectionException;
import org.junit.jupiter.api.Test;

final class SqlErrorsTest {
  @Test
  void poolThatWaitedInVainIsToldByWhatItWaitedFor() {
    SQLException refused = new SQLException("Connection to db:5432 refused.", "08001");

    assertThat(
            SqlErrors.translate(
                "read", new SQLTransientConnectionException("Pool - timed out", "08001", refused)))
        .hasMessageContaining("Connection to db:5432 refused.")
        .hasMessageNotContaining("timed out");
    assertThat(SqlErrors.translate("read", new SQLTransientConnectionException("Pool - empty")))
        .hasMessageContaining("Pool - empty");
  }
}
