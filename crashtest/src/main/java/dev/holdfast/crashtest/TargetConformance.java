package dev.holdfast.crashtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.boundary.Capability;
import dev.holdfast.crashtest.Expect.Counted;
import dev.holdfast.crashtest.report.Carrier;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What every target promises the relay, as far as its capabilities claim it: one that keeps no
 * progress ({@code PROGRESS_MARK}) may repeat what a crash interrupted. For those who write a
 * target of their own; {@link OutboxConformance} then tries it with a relay.
 */
public abstract class TargetConformance {
  private static final AtomicLong POSITIONS = new AtomicLong();

  private final Target.Context context =
      new Target.Context("conformance", UUID.randomUUID() + "-conformance");
  private final String key = "key-" + UUID.randomUUID();
  private final Truths truths = new Truths();
  private final Incarnation process =
      new Incarnation(new Trace(List.of(), role -> false, Trace.Listener.NONE), null);
  private final Resources resources = new Resources(process, truths);
  private final List<TargetSession> opened = new ArrayList<>();

  /** The target, made by the resources with {@link Resources#target}. */
  protected abstract Target target(Resources resources);

  /** A topic that it takes messages of. */
  protected abstract String topic();

  /** A topic of which it refuses every message. */
  protected abstract String refusedTopic();

  /** What it has of the first topic, with the values in the order in which they came. */
  protected abstract Counted delivered();

  @BeforeEach
  void begin() {
    process.onStop(() -> opened.forEach(TargetSession::close));
    target(resources);
    // What is there already is of no interest.
    there(key);
  }

  @AfterEach
  void end() {
    process.stop();
    truths.close();
  }

  private TargetSession open() {
    TargetSession session = target(resources).open(context);
    opened.add(session);
    return session;
  }

  /** As a relay begins to lead. */
  private TargetSession lead() {
    TargetSession session = open();
    session.peekProgress();
    session.takeOver();
    return session;
  }

  private boolean keepsProgress() {
    return target(resources).capabilities().contains(Capability.PROGRESS_MARK);
  }

  private List<String> there(String ofKey) {
    return delivered().once().observe(truths, ofKey).values();
  }

  /** What is acknowledged may take a moment to be seen. */
  private void assertThere(String... values) {
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .untilAsserted(() -> assertThat(there(key)).containsExactly(values));
  }

  private void assertProgress(Optional<String> progress, String expected) {
    assertThat(progress).isEqualTo(keepsProgress() ? Optional.of(expected) : Optional.empty());
  }

  private static OutboxRecord message(String topic, String key, String payload) {
    return new OutboxRecord(
        POSITIONS.incrementAndGet(),
        OutboxRecord.Kind.MESSAGE,
        UUID.randomUUID(),
        topic,
        key,
        "conformance",
        "text/plain",
        payload.getBytes(StandardCharsets.UTF_8),
        Map.of(),
        null,
        1_000_000_000_000L);
  }

  private OutboxRecord message(String payload) {
    return message(topic(), key, payload);
  }

  @Test
  void aTargetWithoutHistoryHasNoProgress() {
    TargetSession session = open();
    assertThat(session.peekProgress()).isEmpty();
    session.takeOver();
    assertThat(session.progress()).isEmpty();
  }

  @Test
  void whatIsSentIsThereInItsOrderOnce() {
    TargetSession leader = lead();
    assertThat(leader.send(List.of(message("1"), message("2"), message("3")), "p1"))
        .isInstanceOf(Delivery.Done.class);
    assertThat(leader.send(List.of(message("4")), "p2")).isInstanceOf(Delivery.Done.class);
    assertThere("1", "2", "3", "4");
  }

  @Test
  void progressIsWhatWasSentLastWithMessagesOrAlone() {
    TargetSession leader = lead();
    leader.send(List.of(message("1")), "p1");
    assertProgress(leader.progress(), "p1");
    assertThat(leader.send(List.of(), "p2")).isInstanceOf(Delivery.Done.class);
    assertProgress(leader.progress(), "p2");
    leader.close();
    assertProgress(open().peekProgress(), "p2");
    assertProgress(lead().progress(), "p2");
    assertThere("1");
  }

  @Test
  void scopesKnowNothingOfOneAnother() {
    lead().send(List.of(message("1")), "p1");
    try (TargetSession other =
        target(resources).open(new Target.Context("other", context.scope() + "-other"))) {
      assertThat(other.peekProgress()).isEmpty();
    }
  }

  @Test
  void openingAndLookingDisturbsNobody() {
    TargetSession leader = lead();
    leader.send(List.of(message("1")), "p1");
    TargetSession bystander = open();
    assertProgress(bystander.peekProgress(), "p1");
    assertThat(leader.send(List.of(message("2")), "p2")).isInstanceOf(Delivery.Done.class);
    // Whoever only looks may see it a moment later.
    Awaitility.await()
        .pollDelay(Duration.ZERO)
        .untilAsserted(() -> assertProgress(bystander.peekProgress(), "p2"));
    bystander.close();
    assertThat(leader.send(List.of(message("3")), "p3")).isInstanceOf(Delivery.Done.class);
    assertThere("1", "2", "3");
  }

  @Test
  @Attacks("outbox.recovery.zombie")
  void aTakeoverEndsThePredecessorWhoseSendThenHasNoEffect() {
    TargetSession predecessor = lead();
    predecessor.send(List.of(message("1")), "p1");
    TargetSession leader = open();
    leader.peekProgress();
    leader.takeOver();
    if (keepsProgress()) {
      Delivery zombie = predecessor.send(List.of(message("zombie")), "of the zombie");
      assertThat(zombie).isInstanceOfAny(Delivery.Fenced.class, Delivery.Unavailable.class);
    }
    assertProgress(leader.progress(), "p1");
    assertThat(leader.send(List.of(message("2")), "p2")).isInstanceOf(Delivery.Done.class);
    predecessor.close();
    assertThat(leader.send(List.of(message("3")), "p3")).isInstanceOf(Delivery.Done.class);
    assertThere("1", "2", "3");
  }

  @Test
  void whatIsRefusedIsToldAndTheRestIsDeliveredOnce() {
    TargetSession leader = lead();
    String refusedKey = key + "-refused";
    OutboxRecord refused = message(refusedTopic(), refusedKey, "never");
    OutboxRecord behindIt = message(topic(), refusedKey, "must wait");
    List<OutboxRecord> all = List.of(message("1"), refused, message("2"), behindIt);

    Delivery delivery = leader.send(all, "p1");

    assertThat(delivery).isInstanceOf(Delivery.Refused.class);
    Delivery.Refused told = (Delivery.Refused) delivery;
    assertThat(told.refused()).containsOnlyKeys(refused.position());
    assertThat(told.delivered()).doesNotContain(refused.position(), behindIt.position());
    assertThat(leader.progress()).as("nothing of it is passed").isEmpty();
    List<OutboxRecord> rest =
        all.stream()
            .filter(message -> message.key() != null && message.key().equals(key))
            .filter(message -> !told.delivered().contains(message.position()))
            .toList();
    assertThat(leader.send(rest, "p1")).isInstanceOf(Delivery.Done.class);
    assertThere("1", "2");
    assertThat(there(refusedKey)).isEmpty();
    assertProgress(leader.progress(), "p1");
  }

  @Test
  void closingTwiceOrUnusedDoesNothing() {
    TargetSession unused = open();
    unused.close();
    unused.close();
    TargetSession leader = lead();
    leader.send(List.of(message("1")), "p1");
    leader.close();
    leader.close();
    assertThere("1");
  }

  /**
   * A batch, and crashes around it or its acknowledgment lost: the next session finds out by the
   * progress whether it is there, and sends it if not.
   */
  @CrashTest(carriers = {Carrier.FENCED, Carrier.LOST_ACK})
  @Attacks("outbox.delivery.once")
  public void aBatchIsThereIfItsProgressIs(CrashLab lab) {
    Counted there = delivered();
    lab.application(processResources -> new Sender(target(processResources)))
        .operation(Sender::deliver)
        .recoveredByRetry(2)
        .expect((keepsProgress() ? there : there.distinct()).inOrder("1", "2"));
  }

  /** A process that delivers one batch, whatever others have done of it before. */
  private final class Sender implements AutoCloseable {
    private static final int SESSIONS = 3;

    private final Target target;
    private @Nullable TargetSession session;

    Sender(Target target) {
      this.target = target;
    }

    void deliver(String ofKey) {
      for (int i = 0; i < SESSIONS; i++) {
        close();
        TargetSession next = target.open(context);
        session = next;
        next.peekProgress();
        next.takeOver();
        boolean isThere = next.progress().equals(Optional.of(ofKey));
        List<OutboxRecord> batch =
            List.of(message(topic(), ofKey, "1"), message(topic(), ofKey, "2"));
        if (isThere || next.send(batch, ofKey) instanceof Delivery.Done) {
          return;
        }
      }
      throw new IllegalStateException("Not delivered with " + SESSIONS + " sessions");
    }

    @Override
    public void close() {
      TargetSession last = session;
      if (last != null) {
        last.close();
      }
    }
  }
}
