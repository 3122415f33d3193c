package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The order service, the payment provider, both databases and the broker are killed, over and over,
 * and replies are lost: that leaves nothing of a checkout as a workflow, and much of the usual
 * code.
 */
class CheckoutDemoEndToEndTest {
  private static final List<String> VIOLATIONS =
      List.of("open", "unpaid", "unordered", "overcharged", "stock");

  @TempDir Path directory;

  /** Two strategies: with twice the time of a test. */
  @Tag("long")
  @Test
  @Timeout(value = 8, unit = TimeUnit.MINUTES)
  void theUsualCodeIsCaughtAndTheWorkflowIsNot() throws Exception {
    JsonNode both =
        DemoRuns.strategies(
            directory, "demo --strategies checkout-naive,checkout --operations 160 --kills 2");

    assertThat(both).hasSize(2);
    JsonNode naive = both.path(0);
    assertThat(naive.path("name").asText()).isEqualTo("checkout-naive");
    assertThat(violations(naive)).as(naive.toString()).isPositive();
    assertClean(both.path(1), 160);
  }

  @Tag("long")
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5})
  void everyCheckoutIsPaidOnceAndSaidOnceOrUndone(long seed) throws Exception {
    JsonNode row =
        DemoRuns.strategies(
                directory, "demo --strategies checkout --operations 800 --kills 12 --seed " + seed)
            .path(0);

    assertClean(row, 800);
    // Of the order service twelve, and half as many of the provider.
    assertThat(row.path("kills").asInt()).as(row.toString()).isEqualTo(18);
  }

  /** Each kind of them: the count would see it. */
  @Tag("long")
  @Test
  void theUsualCodeIsCaughtAtEveryBoundary() throws Exception {
    JsonNode row =
        DemoRuns.strategies(
                directory, "demo --strategies checkout-naive --operations 800 --kills 24")
            .path(0);

    for (String violation : VIOLATIONS) {
      assertThat(row.path("checkouts").path(violation).asInt())
          .as(violation + " of " + row)
          .isPositive();
    }
    assertThat(row.path("lost").asInt()).as(row.toString()).isPositive();
  }

  private static int violations(JsonNode row) {
    return DemoRuns.violations(row)
        + VIOLATIONS.stream()
            .mapToInt(violation -> row.path("checkouts").path(violation).asInt())
            .sum();
  }

  private static void assertClean(JsonNode row, int operations) {
    assertThat(row.path("name").asText()).isEqualTo("checkout");
    assertThat(violations(row)).as(row.toString()).isZero();
    JsonNode checkouts = row.path("checkouts");
    int confirmed = checkouts.path("confirmed").asInt();
    int cancelled = checkouts.path("cancelled").asInt();
    // All but those whose clients have given up before they were placed.
    assertThat(confirmed + cancelled).as(row.toString()).isBetween(operations / 2, operations);
    // One in ten each is declined, undeliverable, or not wanted any more; nothing else is undone.
    assertThat(cancelled)
        .as(row.toString())
        .isPositive()
        .isLessThanOrEqualTo((int) orders(operations).filter(one -> mayEnd(one)).count());
    assertThat(confirmed).as(row.toString()).isPositive();
  }

  private static Stream<Purchase> orders(int operations) {
    return Stream.iterate(0, number -> number < operations, number -> number + 1)
        .map(number -> Purchase.of("order-" + number));
  }

  private static boolean mayEnd(Purchase order) {
    return !order.isDeliverable() || order.isRegretted() || order.card().equals(Purchase.DECLINED);
  }
}
