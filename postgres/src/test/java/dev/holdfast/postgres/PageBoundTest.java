package dev.holdfast.postgres;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.Message;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.Page;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Pages keep within their bounds, and lose nothing by it, whatever the sizes of payloads. */
final class PageBoundTest {
  private static final int RECORDS = 20;
  private static final int BYTES = 2_000;

  /** Up to here rows are read without adding up their sizes. */
  private static final int SMALL = BYTES / RECORDS;

  private final PostgresStore store =
      PostgresStore.open(TestDatabase.dataSource(), TestDatabase.newSchema());
  private Cursor start = Cursor.at("");

  @BeforeEach
  void begin() {
    store.schema().migrate();
    store.channels().register("c", List.of("orders"));
    start = store.channels().progress("c").cursor();
  }

  /** In one transaction, so that they are one window. */
  private void publish(int... sizes) throws SQLException {
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < sizes.length; i++) {
      Message.Builder message = Message.to("orders").key("k" + i);
      if (sizes[i] >= 0) {
        byte[] payload = new byte[sizes[i]];
        Arrays.fill(payload, (byte) i);
        message.payload("application/octet-stream", payload);
      }
      messages.add(message.build());
    }
    try (Connection connection = TestDatabase.dataSource().getConnection()) {
      connection.setAutoCommit(false);
      store.writer().publish(connection, "op", messages);
      connection.commit();
    }
  }

  private List<Page> read() {
    List<Page> pages = new ArrayList<>();
    Cursor at = start;
    do {
      Page page = store.log().read("c", at, new OutboxLog.Limit(RECORDS, BYTES), true);
      pages.add(page);
      at = page.end();
    } while (at.insideWindow());
    return pages;
  }

  private static int size(OutboxRecord message) {
    byte[] payload = message.payload();
    return payload == null ? -1 : payload.length;
  }

  private static void assertWithinBounds(List<Page> pages) {
    assertThat(pages)
        .allSatisfy(
            page -> {
              List<OutboxRecord> all = page.records();
              assertThat(all).hasSizeLessThanOrEqualTo(RECORDS);
              // The one that reaches the bound belongs to the page.
              assertThat(
                      all.stream()
                          .limit(Math.max(0, all.size() - 1))
                          .mapToInt(message -> Math.max(0, size(message)))
                          .sum())
                  .isLessThanOrEqualTo(BYTES);
            });
  }

  private static int[] sizes(List<Page> pages) {
    return pages.stream()
        .flatMap(page -> page.records().stream())
        .mapToInt(PageBoundTest::size)
        .toArray();
  }

  @Test
  void smallAndLargePayloadsInAnyMixtureAreReadCompleteAndInOrder() throws SQLException {
    Random random = new Random(7);
    int[] sizes = new int[400];
    for (int i = 0; i < sizes.length; i++) {
      // Stretches with no large one, with few and with many.
      boolean large = random.nextInt(100) < (i / 100) * 25;
      sizes[i] = large ? SMALL + random.nextInt(4 * BYTES) : random.nextInt(SMALL + 2) - 1;
    }
    publish(sizes);

    List<Page> pages = read();

    assertThat(sizes(pages)).containsExactly(sizes);
    assertWithinBounds(pages);
    assertThat(pages.stream().flatMap(page -> page.records().stream()))
        .allSatisfy(
            message -> {
              byte number = (byte) Integer.parseInt(String.valueOf(message.key()).substring(1));
              byte[] payload = message.payload();
              for (int i = 0; payload != null && i < payload.length; i++) {
                assertThat(payload[i]).isEqualTo(number);
              }
            });
  }

  @Test
  void aPageEndsBeforeTheFirstLargePayloadAndTheNextTakesAsMuchAsItCan() throws SQLException {
    publish(10, SMALL, SMALL + 1, 10, SMALL + 1, 10);

    List<Page> pages = read();

    assertThat(pages).extracting(page -> page.records().size()).containsExactly(2, 4);
  }

  @Test
  void afterLargePayloadsSmallOnesFillTheirPagesAgain() throws SQLException {
    int[] sizes = new int[1 + 3 * RECORDS];
    Arrays.fill(sizes, 1);
    sizes[0] = 3 * BYTES;
    publish(sizes);

    List<Page> pages = read();

    // The window goes on after a full page, since nobody knows that nothing follows.
    assertThat(pages).extracting(page -> page.records().size()).containsExactly(1, 20, 20, 20, 0);
  }
}
