package dev.holdfast.crashtest;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class WordsTest {
  @ParameterizedTest
  @CsvSource({
    "0, 0 ms",
    "350, 350 ms",
    "1000, 1 s",
    "2468, 2.5 s",
    "9980, 10 s",
    "20049, 20 s",
    "119000, 119 s",
    "180000, 3 min"
  })
  void durationsAreWrittenAsPeopleDo(long millis, String words) {
    assertThat(Words.of(Duration.ofMillis(millis))).isEqualTo(words);
  }
}
