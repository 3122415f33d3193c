package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import java.sql.SQLException;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** A stream, forwards and backwards, whole and in part, now and then. */
final class StreamReadTest {
  private final Log log = new Log();

  @AfterEach
  void end() {
    log.close();
  }

  private List<String> read(StreamQuery query) {
    return Log.bodies(log.log.read(query));
  }

  @Test
  void aPartIsReadInEitherDirection() {
    log.append("a", "1", "2", "3");
    log.append("b", "other");
    log.append("a", "4");
    StreamQuery all = StreamQuery.of("a");
    assertThat(read(all)).containsExactly("1", "2", "3", "4");
    assertThat(read(all.latestFirst())).containsExactly("4", "3", "2", "1");
    assertThat(read(all.latestFirst().limit(1))).containsExactly("4");
    assertThat(read(all.from(3))).containsExactly("3", "4");
    assertThat(read(all.asOfVersion(2))).containsExactly("1", "2");
    assertThat(read(all.from(2).asOfVersion(3).latestFirst())).containsExactly("3", "2");
    assertThat(read(StreamQuery.of("none"))).isEmpty();
  }

  @Test
  void aStreamIsReadAsItWasAndItsTimeNeverRunsBackwards() throws SQLException {
    log.append("a", "1");
    log.append("a", "2");
    // The clock is set back by an hour: what comes now is no earlier than what is there.
    log.execute(
        "create or replace function ${schema}.now() returns timestamptz language sql stable as"
            + " $$ select clock_timestamp() - interval '1 hour' $$");
    log.append("a", "3");
    log.append("a", "4", "5");
    List<RecordedEvent> all = log.log.read(StreamQuery.of("a"));
    assertThat(all).extracting(RecordedEvent::recordedAt).isSorted();
    assertThat(all.get(4).recordedAt()).isEqualTo(all.get(1).recordedAt());
    StreamQuery query = StreamQuery.of("a");
    assertThat(read(query.asOfTime(all.get(0).recordedAt()))).containsExactly("1");
    assertThat(read(query.asOfTime(all.get(0).recordedAt().minusMillis(1)))).isEmpty();
    assertThat(read(query.asOfTime(all.get(1).recordedAt()))).hasSize(5);
  }
}
