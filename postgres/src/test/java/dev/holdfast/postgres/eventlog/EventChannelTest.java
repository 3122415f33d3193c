package dev.holdfast.postgres.eventlog;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Capability;
import dev.holdfast.crashtest.Attacks;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.projection.EventChannel;
import dev.holdfast.projection.EventChannels;
import dev.holdfast.projection.ProjectionSettings;
import dev.holdfast.projection.store.ProjectionStore.Parked;
import java.nio.charset.StandardCharsets;
import java.sql.Connection;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is published of the log, where some of it is refused and owners change. */
final class EventChannelTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final ProjectionSettings QUICK =
      ProjectionSettings.DEFAULT
          .withBatch(20)
          .withLease(Duration.ofSeconds(1))
          .withPollInterval(Duration.ofMillis(5));

  private final Log log = new Log();
  private final List<EventChannels> running = new ArrayList<>();
  private final Set<String> refused = ConcurrentHashMap.newKeySet();
  private final AtomicInteger takeOvers = new AtomicInteger();
  private final AtomicReference<String> kept = new AtomicReference<>();
  private final List<String> received = Collections.synchronizedList(new ArrayList<>());

  @AfterEach
  void end() {
    running.forEach(EventChannels::close);
    log.close();
  }

  /** Keeps what it gets, and refuses some of it; with the progress, where it does that. */
  private final class Receiver implements Target {
    final Consumer<List<OutboxRecord>> before;
    final boolean keepsProgress;

    Receiver(Consumer<List<OutboxRecord>> before, boolean keepsProgress) {
      this.before = before;
      this.keepsProgress = keepsProgress;
    }

    @Override
    public String description() {
      return "receiver";
    }

    @Override
    public Set<Capability> capabilities() {
      return keepsProgress
          ? Set.of(Capability.ORDER_PER_KEY, Capability.PROGRESS_MARK)
          : Set.of(Capability.ORDER_PER_KEY);
    }

    @Override
    public Acknowledgment acknowledgment() {
      return Acknowledgment.PERSISTED;
    }

    @Override
    public TargetSession open(Context context) {
      return new TargetSession() {
        @Override
        public Optional<String> peekProgress() {
          return progress();
        }

        @Override
        public void takeOver() {
          takeOvers.incrementAndGet();
        }

        @Override
        public Optional<String> progress() {
          return keepsProgress ? Optional.ofNullable(kept.get()) : Optional.empty();
        }

        @Override
        public Delivery send(List<OutboxRecord> messages, String progress) {
          before.accept(messages);
          kept.set(progress);
          return receive(messages);
        }

        @Override
        public void close() {}
      };
    }
  }

  private static String text(OutboxRecord message) {
    byte[] payload = message.payload();
    return payload == null ? "" : new String(payload, StandardCharsets.UTF_8);
  }

  private Delivery receive(List<OutboxRecord> messages) {
    Map<Long, String> no = new HashMap<>();
    Set<Long> yes = new HashSet<>();
    Set<String> stopped = new HashSet<>();
    for (OutboxRecord message : messages) {
      if (stopped.contains(message.lane())) {
        continue;
      }
      if (refused.contains(text(message))) {
        no.put(message.position(), "refused " + text(message));
        stopped.add(message.lane());
      } else {
        received.add(message.key() + text(message));
        yes.add(message.position());
      }
    }
    return no.isEmpty() ? new Delivery.Done() : new Delivery.Refused(no, yes);
  }

  private EventChannels run(Consumer<List<OutboxRecord>> before) {
    return run("events", new Receiver(before, false));
  }

  private EventChannels run(String name, Receiver receiver) {
    EventChannels made =
        EventChannels.start(log.holdfast, QUICK, EventChannel.named(name, receiver));
    running.add(made);
    return made;
  }

  private void replay(EventChannels channels, String key) {
    assertThat(channels.replay("events", key)).isTrue();
    Awaitility.await()
        .atMost(SOON)
        .until(() -> channels.parked("events").stream().noneMatch(p -> p.key().equals(key)));
  }

  @Test
  @Attacks("events.parked")
  void sendsAllOfAParkedStreamWhileOthersAreAppending() throws Exception {
    refused.add("2");
    EventChannels channels = run(messages -> {});
    long last = log.append("a", "1", "2", "3").position();
    assertThat(channels.awaitPublished("events", last, SOON)).isTrue();
    assertThat(received).containsExactly("a1");
    refused.clear();
    // Whoever begins to read now has to wait for this one.
    Connection open = Log.begin();
    try {
      log.append(open, Append.to("other", ExpectedVersion.any(), Log.event("9")));
      replay(channels, "a");
    } finally {
      Log.end(open);
    }
    assertThat(received).containsExactly("a1", "a2", "a3");
  }

  @Test
  @Attacks("events.parked")
  void parksAllThatIsRefusedThoughTheRecordingIsRunAgain() throws Exception {
    log.execute("create sequence ${schema}.refusals");
    log.execute(
        """
        create function ${schema}.once() returns trigger language plpgsql as $$
        begin
          if nextval('${schema}.refusals') = 2 then
            raise exception using errcode = '40001', message = 'run it again';
          end if;
          return new;
        end $$
        """);
    EventChannels channels = run(messages -> {});
    log.execute(
        """
        create trigger once before insert on ${schema}.projection_parked
        for each row execute function ${schema}.once()
        """);
    refused.add("1");
    long last =
        log.log
            .append(
                Append.to("a", ExpectedVersion.none(), Log.event("1"))
                    .and("b", ExpectedVersion.none(), Log.event("1")))
            .position();
    assertThat(channels.awaitPublished("events", last, SOON)).isTrue();
    assertThat(channels.parked("events"))
        .extracting(Parked::key)
        .containsExactlyInAnyOrder("a", "b");
  }

  /** The first owner is at a parked stream when it is given up, and goes on behind the second. */
  @Test
  @Attacks({"events.parked", "events.takeover"})
  void anOwnerThatWasGivenUpDoesNotUnparkWhatItsSuccessorHasParked() throws Exception {
    CountDownLatch isAtIt = new CountDownLatch(1);
    CountDownLatch goOn = new CountDownLatch(1);
    refused.add("1");
    EventChannels first =
        run(
            messages -> {
              if (!refused.contains("1") && !messages.isEmpty() && isAtIt.getCount() > 0) {
                isAtIt.countDown();
                try {
                  goOn.await();
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              }
            });
    long last = log.append("a", "1").position();
    assertThat(first.awaitPublished("events", last, SOON)).isTrue();
    refused.clear();
    assertThat(first.replay("events", "a")).isTrue();
    isAtIt.await();

    refused.add("1");
    log.execute("update ${schema}.lease set owner = null where name like 'events/%'");
    EventChannels second = run(messages -> {});
    Awaitility.await()
        .atMost(SOON)
        .until(() -> second.parked("events").stream().noneMatch(Parked::isReleased));
    last = log.append("a", "2").position();
    assertThat(second.awaitPublished("events", last, SOON)).isTrue();
    assertThat(received).isEmpty();
    refused.clear();
    goOn.countDown();
    Awaitility.await().atMost(SOON).until(() -> received.contains("a1"));
    first.close();
    second.close();

    EventChannels third = run(messages -> {});
    assertThat(third.parked("events")).extracting(Parked::key).containsExactly("a");
    replay(third, "a");
    assertThat(received).contains("a2");
  }

  /** A standby takes over, or a backup is restored, and events come that the target has not had. */
  @Test
  @Attacks("events.recorded")
  void stopsWhereTheDatabaseHasLostWhatTheTargetHasHad() throws Exception {
    Receiver receiver = new Receiver(messages -> {}, true);
    EventChannels channels = run("events", receiver);
    long lasting = log.append("a", "1").position();
    long lost = log.append("a", "2", "3").position();
    assertThat(channels.awaitPublished("events", lost, SOON)).isTrue();
    channels.close();
    log.execute("delete from ${schema}.event where position > " + lasting);
    log.execute("select setval('${schema}.event_position', " + lasting + ")");
    log.execute("update ${schema}.projection_slot set checkpoint = " + lasting);
    received.clear();
    takeOvers.set(0);

    long last = log.append("b", "4", "5", "6").position();
    assertThat(last).isGreaterThan(lost);
    EventChannels then = run("events", receiver);
    assertThat(then.awaitPublished("events", last, Duration.ofMillis(500))).isFalse();
    assertThat(received).isEmpty();
    assertThat(takeOvers).hasValue(0);
    kept.set(null);
    assertThat(run("anew", receiver).awaitPublished("anew", last, SOON)).isTrue();
    assertThat(received).containsExactly("a1", "b4", "b5", "b6");
  }

  @Test
  @Attacks("events.takeover")
  void goesOnWhereTheTargetHasMoreThanIsRecordedHere() throws Exception {
    Receiver receiver = new Receiver(messages -> {}, true);
    EventChannels channels = run("events", receiver);
    long first = log.append("a", "1").position();
    assertThat(channels.awaitPublished("events", log.append("a", "2").position(), SOON)).isTrue();
    channels.close();
    log.execute("update ${schema}.projection_slot set checkpoint = " + first);
    EventChannels then = run("events", receiver);
    assertThat(then.awaitPublished("events", log.append("a", "3").position(), SOON)).isTrue();
    assertThat(received).containsExactly("a1", "a2", "a3");
  }

  @Test
  @Attacks("events.takeover")
  void goesOnThoughTheTargetLeavesTheThreadInterrupted() throws Exception {
    EventChannels channels = run(messages -> Thread.currentThread().interrupt());
    long last = log.append("a", "1").position();
    assertThat(channels.awaitPublished("events", last, SOON)).isTrue();
    last = log.append("a", "2").position();
    assertThat(channels.awaitPublished("events", last, SOON)).isTrue();
  }
}
