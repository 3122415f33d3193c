package dev.holdfast.cli.demo;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

class TimingTest {
  @Test
  void nothingElseReadsTheClockOrSleeps() {
    noClasses()
        .that()
        .haveNameNotMatching(".*\\.Timing(\\$.*)?")
        .should()
        .callMethod(Thread.class, "sleep", long.class)
        .orShould()
        .callMethod(System.class, "nanoTime")
        .orShould()
        .callMethod(System.class, "currentTimeMillis")
        .orShould()
        .callMethod(Instant.class, "now")
        .check(
            new ClassFileImporter()
                .withImportOption(new ImportOption.DoNotIncludeTests())
                .importPackages("dev.holdfast.cli"));
  }

  @Test
  void waitingEndsWithTheConditionOrTheBound() throws Exception {
    int[] asked = {0};
    assertThat(Timing.until(Duration.ofMinutes(1), Duration.ZERO, () -> ++asked[0] == 3)).isTrue();
    assertThat(Timing.until(Duration.ZERO, Duration.ZERO, () -> false)).isFalse();
  }
}
