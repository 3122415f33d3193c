package dev.holdfast.crashtest;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.HoldfastException;
import dev.holdfast.Message;
import dev.holdfast.NoTransaction;
import dev.holdfast.UnroutedTopic;
import dev.holdfast.boundary.Outcome;
import dev.holdfast.outbox.store.Attempt;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ChannelStatus;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxLog.Limit;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.Page;
import dev.holdfast.outbox.store.ParkedMessage;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.outbox.store.Upkeep;
import java.sql.Connection;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import javax.sql.DataSource;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every store promises the outbox. Each test begins with an empty store of its own. */
public abstract class StoreConformance {
  private static final Limit ALL = new Limit(1_000, 1 << 20);
  private static final Duration LONG = Duration.ofMinutes(1);

  private @Nullable Store store;
  private @Nullable DataSource dataSource;

  /** A store that has not been migrated, of its own. */
  protected abstract Store newStore(DataSource dataSource);

  protected abstract DataSource newDataSource();

  @BeforeEach
  void begin() {
    DataSource source = newDataSource();
    dataSource = source;
    store = newStore(source);
    store().schema().migrate();
    store().channels().register("c", List.of("orders.*"));
  }

  protected final Store store() {
    return requireNonNull(store);
  }

  protected final Connection transaction() throws SQLException {
    Connection connection = requireNonNull(dataSource).getConnection();
    connection.setAutoCommit(false);
    return connection;
  }

  protected final void publish(Message... messages) throws SQLException {
    try (Connection connection = transaction()) {
      store().writer().publish(connection, "op", List.of(messages));
      connection.commit();
    }
  }

  /** All that is readable after the cursor, window by window, until one is empty. */
  protected final List<OutboxRecord> drain(Cursor from) {
    List<OutboxRecord> records = new ArrayList<>();
    Cursor at = from;
    while (true) {
      Page page = store().log().read("c", at, ALL, true);
      if (page.isEmpty() && !page.hasNext()) {
        return records;
      }
      records.addAll(page.records());
      at = page.end();
    }
  }

  protected final Cursor start() {
    return store().channels().progress("c").cursor();
  }

  protected static List<String> keys(List<OutboxRecord> records) {
    return records.stream().map(record -> String.valueOf(record.key())).toList();
  }

  protected final Lease lease(String name) {
    return store().leases().tryAcquire(name, "me", LONG).orElseThrow();
  }

  @Test
  void whatIsCommittedIsReadOnceWithEverythingItCarries() throws SQLException {
    UUID id = UUID.randomUUID();
    Message message =
        Message.to("orders.placed")
            .id(id)
            .key("k\"1")
            .type("Placed")
            .json("{\"a\":1}")
            .header("h", "v\n\"\\ü")
            .traceparent("00-1-2-01")
            .build();
    publish(message);

    OutboxRecord read = drain(start()).get(0);

    assertThat(read.id()).isEqualTo(id);
    assertThat(read.topic()).isEqualTo("orders.placed");
    assertThat(read.key()).isEqualTo("k\"1");
    assertThat(read.type()).isEqualTo("Placed");
    assertThat(read.contentType()).isEqualTo("application/json");
    assertThat(new String(requireNonNull(read.payload()), java.nio.charset.StandardCharsets.UTF_8))
        .isEqualTo("{\"a\":1}");
    assertThat(read.headers())
        .containsEntry("h", "v\n\"\\ü")
        .containsEntry("traceparent", "00-1-2-01");
    assertThat(read.operationId()).isEqualTo("op");
    assertThat(drain(start())).hasSize(1);
  }

  @Test
  @Attacks({"outbox.atomicity", "outbox.delivery.none-invented"})
  void whatIsRolledBackIsNeverRead() throws SQLException {
    try (Connection connection = transaction()) {
      store().writer().publish(connection, "op", List.of(Message.of("orders.x", "k", "{}")));
      connection.rollback();
    }
    assertThat(drain(start())).isEmpty();
  }

  @Test
  @Attacks("outbox.delivery.none-lost")
  void aLateCommitterIsReadInALaterWindowAndHoldsUpNobody() throws SQLException {
    try (Connection late = transaction()) {
      store().writer().publish(late, "op", List.of(Message.of("orders.x", "late", "{}")));
      publish(Message.of("orders.x", "early", "{}"));

      Page first = store().log().read("c", start(), ALL, true);
      assertThat(keys(first.records())).containsExactly("early");

      late.commit();
      assertThat(keys(drain(first.end()))).containsExactly("late");
    }
  }

  @Test
  void aPagedWindowIsReadWholeAndInOrder() throws SQLException {
    List<Message> messages = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      messages.add(Message.of("orders.x", "k" + i, "{}"));
    }
    publish(messages.toArray(new Message[0]));
    List<String> read = new ArrayList<>();
    Cursor at = start();
    Page page;
    do {
      page = store().log().read("c", at, new Limit(10, 1 << 20), true);
      read.addAll(keys(page.records()));
      at = page.end();
    } while (page.hasNext());
    assertThat(read)
        .containsExactlyElementsOf(messages.stream().map(m -> requireNonNull(m.key())).toList());
  }

  @Test
  void aPageIsBoundedByBytesAndAnOversizedMessageComesAlone() throws SQLException {
    byte[] large = new byte[2_000];
    publish(
        Message.of("orders.x", "a", large),
        Message.of("orders.x", "b", large),
        Message.of("orders.x", "c", large));
    Page first = store().log().read("c", start(), new Limit(100, 1_000), true);
    assertThat(keys(first.records())).containsExactly("a");
    Page second = store().log().read("c", first.end(), new Limit(100, 3_000), true);
    assertThat(keys(second.records())).containsExactly("b", "c");
  }

  @Test
  @Attacks("outbox.refusal")
  void aMessageThatNoChannelTakesIsRefused() throws SQLException {
    try (Connection connection = transaction()) {
      assertThatThrownBy(
              () -> {
                try {
                  store()
                      .writer()
                      .publish(connection, "op", List.of(Message.of("other", "k", "{}")));
                } catch (SQLException e) {
                  throw store().writer().translate("publish", e);
                }
              })
          .isInstanceOf(UnroutedTopic.class)
          .hasMessageContaining("other")
          .hasMessageContaining("nothing was recorded");
    }
  }

  @Test
  void aClosedRouteRefusesPublishersAndStillDeliversWhatItTook() throws SQLException {
    store().channels().register("c", List.of("bills"));
    publish(Message.of("bills", "k", "{}"));
    assertThat(store().channels().closeRoute("c", "bills")).isTrue();
    assertThat(keys(drain(start()))).containsExactly("k");
    assertThatThrownBy(() -> publish(Message.of("bills", "k", "{}")))
        .isInstanceOf(SQLException.class);
  }

  @Test
  @Attacks("outbox.refusal")
  void publishingNeedsATransaction() throws SQLException {
    try (Connection connection = transaction()) {
      connection.setAutoCommit(true);
      assertThatThrownBy(
              () ->
                  store()
                      .writer()
                      .publish(connection, "op", List.of(Message.of("orders.x", "k", "{}"))))
          .isInstanceOf(NoTransaction.class)
          .hasMessageContaining("nothing was recorded");
    }
  }

  @Test
  @Attacks("outbox.dedupe")
  void aDedupeKeyIsTakenOnce() throws SQLException {
    for (int i = 0; i < 3; i++) {
      publish(Message.to("orders.x").key("k" + i).json("{}").dedupeKey("d").build());
    }
    assertThat(keys(drain(start()))).containsExactly("k0");
  }

  @Test
  @Attacks("outbox.delayed")
  void aDelayedMessageIsReadOnceItIsDueAndMoved() throws SQLException {
    publish(
        Message.to("orders.x")
            .key("later")
            .json("{}")
            .deliverAt(Instant.now().plusMillis(300))
            .build());
    assertThat(drain(start())).isEmpty();
    assertThat(store().upkeep().untilNextDue()).isNotNull();
    Lease lease = lease("upkeep");
    Awaitility.await().until(() -> store().upkeep().moveDue(lease, 10) == 1);
    assertThat(keys(drain(start()))).containsExactly("later");
  }

  @Test
  @Attacks("transact.answer")
  void aCommitIsCommittedAndCanBeAskedAbout() throws SQLException {
    Attempt attempt = new Attempt(UUID.randomUUID(), Instant.now());
    try (Connection connection = transaction()) {
      store()
          .writer()
          .commit(connection, attempt, "op", List.of(Message.of("orders.x", "k", "{}")));
    }
    assertThat(store().writer().resolve(attempt)).isInstanceOf(Outcome.Committed.class);
    assertThat(store().writer().resolve(attempt)).isInstanceOf(Outcome.Committed.class);
  }

  @Test
  @Attacks("transact.answer")
  void anAttemptThatWasAskedAboutFirstCanNeverCommit() throws SQLException {
    Attempt attempt = new Attempt(UUID.randomUUID(), Instant.now());
    assertThat(store().writer().resolve(attempt)).isInstanceOf(Outcome.Rejected.class);
    try (Connection connection = transaction()) {
      assertThatThrownBy(
              () ->
                  store()
                      .writer()
                      .commit(
                          connection, attempt, "op", List.of(Message.of("orders.x", "k", "{}"))))
          .isInstanceOf(SQLException.class);
    }
    assertThat(drain(start())).isEmpty();
    assertThat(store().writer().resolve(attempt)).isInstanceOf(Outcome.Rejected.class);
  }

  @Test
  void aLeaseHasOneOwnerAndATakeoverRaisesItsEpoch() {
    Lease first = lease("x");
    assertThat(store().leases().tryAcquire("x", "other", LONG)).isEmpty();
    assertThat(store().leases().renew(first, LONG)).isTrue();
    store().leases().release(first);
    Optional<Lease> second = store().leases().tryAcquire("x", "other", LONG);
    assertThat(second).get().extracting(Lease::epoch).isEqualTo(first.epoch() + 1);
    assertThat(store().leases().renew(first, LONG)).isFalse();
  }

  @Test
  @Attacks({"outbox.recovery.zombie", "outbox.recovery.zombie-repeats"})
  void anOwnerWhoseLeaseWasTakenOverWritesNothing() {
    Lease old = store().leases().tryAcquire("channel/c", "me", Duration.ofMillis(1)).orElseThrow();
    Lease current =
        Awaitility.await()
            .until(
                () -> store().leases().tryAcquire("channel/c", "other", LONG), Optional::isPresent)
            .orElseThrow();
    Cursor before = start();
    assertThat(store().channels().saveProgress(old, "c", Cursor.at("900:900:"), "zombie"))
        .isFalse();
    assertThat(store().parking().park(old, "c", Map.of("k:a", "r"), Map.of("k:a", 1L), List.of()))
        .isFalse();
    assertThat(store().channels().stop(old, "c", "zombie")).isFalse();
    assertThat(start()).isEqualTo(before);
    assertThat(store().parking().anyParked("c")).isFalse();
    assertThat(store().channels().saveProgress(current, "c", before, "mine")).isTrue();
  }

  @Test
  @Attacks("outbox.recovery.parking")
  void aParkedKeyIsReplayedInOrderAtItsControlRow() throws SQLException {
    publish(
        Message.of("orders.x", "a", "1"),
        Message.of("orders.x", "b", "1"),
        Message.of("orders.x", "a", "2"));
    Lease lease = lease("channel/c");
    List<OutboxRecord> records = drain(start());
    OutboxRecord bad = records.get(0);
    assertThat(
            store()
                .parking()
                .park(
                    lease,
                    "c",
                    Map.of("k:a", "too large"),
                    Map.of("k:a", bad.position()),
                    List.of(bad, records.get(2))))
        .isTrue();
    assertThat(store().parking().parkedFrom("c", List.of("k:a", "k:b"))).containsOnlyKeys("k:a");
    assertThat(store().parking().list("c", 10)).hasSize(2);
    ChannelStatus status = store().channels().status("c");
    assertThat(status.parkedLanes()).isEqualTo(1);
    assertThat(status.parkedMessages()).isEqualTo(2);

    store().parking().skip("c", bad.position(), "tester", "bad");
    store().parking().orderUnpark("c", "k:a", "tester");
    assertThatThrownBy(() -> store().parking().orderUnpark("c", "k:a", "tester"))
        .isInstanceOf(HoldfastException.class);
    List<OutboxRecord> withControl = drain(start());
    OutboxRecord control = withControl.get(withControl.size() - 1);
    assertThat(control.kind()).isEqualTo(OutboxRecord.Kind.UNPARK);
    assertThat(control.lane()).isEqualTo("k:a");
    List<OutboxRecord> released =
        store().parking().releasable("c", "k:a", control.position(), 0, 10);
    assertThat(released)
        .extracting(OutboxRecord::position)
        .containsExactly(records.get(2).position());

    assertThat(store().parking().finishRelease(lease, "c", "k:a", control.position())).isTrue();
    assertThat(store().parking().anyParked("c")).isFalse();
    assertThat(store().parking().list("c", 10))
        .singleElement()
        .matches(ParkedMessage::skipped, "the skipped one stays readable");
  }

  @Test
  void aReplayThatIsRefusedAgainStaysParkedFromThereOn() throws SQLException {
    publish(
        Message.of("orders.x", "a", "1"),
        Message.of("orders.x", "a", "2"),
        Message.of("orders.x", "a", "3"));
    Lease lease = lease("channel/c");
    List<OutboxRecord> rows = drain(start());
    long first = rows.get(0).position();
    long second = rows.get(1).position();
    store().parking().park(lease, "c", Map.of("k:a", "r"), Map.of("k:a", first), rows);
    store().parking().orderUnpark("c", "k:a", "tester");
    List<OutboxRecord> all = drain(start());
    OutboxRecord control = all.get(all.size() - 1);

    store().parking().parkAgain(lease, "c", "k:a", control.position(), second, "again");
    assertThat(store().parking().releasable("c", "k:a", control.position(), 0, 10))
        .extracting(OutboxRecord::position)
        .containsExactly(first);
    // After a crash the next leader sees that progress has passed the control row.
    Page passed = store().log().read("c", start(), ALL, true);
    assertThat(store().parking().finishReleasesBefore(lease, "c", passed.end())).isTrue();
    assertThat(store().parking().list("c", 10)).hasSize(2);
    assertThat(store().parking().parkedFrom("c", List.of("k:a"))).containsEntry("k:a", second);
  }

  @Test
  void statesAndLagAreReported() throws SQLException {
    publish(Message.of("orders.x", "a", "1"), Message.of("orders.x", "b", "1"));
    assertThat(store().channels().status("c").lagMessages()).isEqualTo(2);
    store().channels().setState("c", ChannelState.PAUSED, "tester", "lunch");
    assertThat(store().channels().state("c")).contains(ChannelState.PAUSED);
    Lease lease = lease("channel/c");
    Page page = store().log().read("c", start(), ALL, true);
    store().channels().saveProgress(lease, "c", page.end(), "r");
    assertThat(store().channels().status("c").lagMessages()).isZero();
    assertThat(store().channels().status("c").reason()).isEqualTo("lunch");
  }

  @Test
  @Attacks("outbox.durability")
  void segmentsAreEmptiedOnceEveryChannelHasPassedThem() throws SQLException {
    store().upkeep().configure(new Upkeep.Settings(Duration.ZERO, null, null));
    Lease upkeep = lease("upkeep");
    Lease lease = lease("channel/c");
    publish(Message.of("orders.x", "a", "1"));
    // Undelivered: turned away from, perhaps, but never emptied.
    Awaitility.await()
        .during(Duration.ofMillis(300))
        .atMost(Duration.ofSeconds(10))
        .until(() -> store().upkeep().rotate(upkeep) == 0);
    assertThat(drain(start())).hasSize(1);

    Page page = store().log().read("c", start(), ALL, true);
    store().channels().saveProgress(lease, "c", page.end(), "r");
    Cursor before = page.start();
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .until(() -> store().upkeep().rotate(upkeep) > 0);
    assertThat(drain(before)).isEmpty();
  }

  @Test
  void aNewEraMakesTheDatabasesOwnProgressCount() throws SQLException {
    publish(Message.of("orders.x", "a", "1"));
    Lease lease = lease("channel/c");
    Page page = store().log().read("c", start(), ALL, true);
    store().channels().saveProgress(lease, "c", page.end(), "r");
    assertThat(store().channels().reanchor("c", true, "tester")).isEqualTo(2);
    assertThat(store().log().identity("c").era()).isEqualTo(2);
    assertThat(drain(start())).hasSize(1);
  }

  @Test
  void aChannelIsRemovedOnlyWhenNothingIsLostByIt() throws SQLException {
    publish(Message.of("orders.x", "a", "1"));
    store().channels().register("other", List.of("other.*"));
    assertThatThrownBy(() -> store().channels().remove("c", false, "tester"))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("1 route(s)");
    Lease lease = lease("channel/c");
    assertThatThrownBy(() -> store().channels().remove("c", true, "tester"))
        .isInstanceOf(HoldfastException.class)
        .hasMessageContaining("is led by");
    assertThat(store().channels().status("c").lagMessages()).isEqualTo(1);

    store().channels().closeRoute("c", "orders.*");
    Page page = store().log().read("c", start(), ALL, true);
    store().channels().saveProgress(lease, "c", page.end(), "r");
    Lease upkeep = lease("upkeep");
    store().upkeep().rotate(upkeep);
    // The route is forgotten once a snapshot taken after its closing has been passed.
    Page next = store().log().read("c", page.end(), ALL, true);
    store().channels().saveProgress(lease, "c", next.end(), "r");
    store().upkeep().rotate(upkeep);
    store().leases().release(lease);
    store().channels().remove("c", false, "tester");
    assertThat(store().channels().names()).containsExactly("other");
  }

  @Test
  void aChannelThatIsGivenUpTakesWhatItHeldBackWithIt() throws SQLException {
    publish(Message.of("orders.x", "a", "1"));
    Lease lease = lease("channel/c");
    OutboxRecord message = drain(start()).get(0);
    store()
        .parking()
        .park(
            lease, "c", Map.of("k:a", "bad"), Map.of("k:a", message.position()), List.of(message));
    store().parking().skip("c", message.position(), "tester", "unwanted");
    store().leases().release(lease);
    store().channels().remove("c", true, "tester");
    assertThat(store().channels().names()).isEmpty();
    assertThatThrownBy(() -> publish(Message.of("orders.x", "a", "2")))
        .hasMessageContaining("No channel takes the topic");
    store().channels().register("c", List.of("orders.*"));
    assertThat(store().parking().list("c", 10)).isEmpty();
    assertThat(drain(start())).isEmpty();
  }
}
