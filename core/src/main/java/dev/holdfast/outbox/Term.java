package dev.holdfast.outbox;

import dev.holdfast.boundary.Capability;
import dev.holdfast.internal.Doorbell;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ChannelStore;
import dev.holdfast.outbox.store.Cursor;
import dev.holdfast.outbox.store.Lease;
import dev.holdfast.outbox.store.OutboxLog;
import dev.holdfast.outbox.store.OutboxRecord;
import dev.holdfast.outbox.store.Page;
import dev.holdfast.outbox.store.Store;
import dev.holdfast.outbox.store.StoreIdentity;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One leader's term over a channel: from the lease to the first surprise. Runs on one thread.
 *
 * <p>The order of the first steps matters. The epoch is raised before the target is taken over, and
 * checked again after: of two leaders that both hold a lease in their own belief, the one with the
 * older epoch either takes over first and is fenced, or last and finds out here. Progress is read
 * only then, when nobody else can move it any more.
 */
final class Term implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Term.class);

  /** How long an empty window may stay open before it is closed at the price of a forced write. */
  private static final Duration LONGEST_EMPTY_WINDOW = Duration.ofSeconds(1);

  private static final int REPLAY_RECORDS = 500;

  /**
   * After so many intervals without a delivery the target is told the progress all the same: by how
   * much it is ahead of a clone tells the two apart.
   */
  private static final int LONGEST_SILENCE_INTERVALS = 60;

  private final Store store;
  private final ChannelConfig channel;
  private final RelaySettings settings;
  private final Pace pace;
  private final Lease lease;
  private final Heartbeat heartbeat;
  private final ReadAhead pages;
  private final Counters counters;
  private final OutboxListener listener;

  private final TargetSession session;
  private @Nullable StoreIdentity identity;
  private @Nullable Cursor cursor;
  private @Nullable Cursor saved;

  /** Of the progress, as the database counts them. */
  private long copies;

  private long savedAt = Doorbell.nanos();

  /** How many of them the target was told of last. */
  private long toldCopies;

  private long toldAt = Doorbell.nanos();

  /** Whether something was delivered since the target was told the progress by itself. */
  private boolean owesTelling;

  /** Whether the target's last answer says that the session is of use. */
  private boolean usable;

  private long emptySince = Doorbell.nanos();
  private long idleSince = Doorbell.nanos();
  private @Nullable Parking parking;

  /** Whether the next step copies progress, and does nothing else. */
  private boolean owesCopy;

  /** What a channel's runner counts across terms; written by one thread, read by any. */
  static final class Counters {
    final AtomicLong delivered = new AtomicLong();
    final AtomicLong parked = new AtomicLong();
  }

  /**
   * @param session opened, and closed with this term
   */
  Term(
      Store store,
      ChannelConfig channel,
      RelaySettings settings,
      Pace pace,
      TargetSession session,
      Lease lease,
      Heartbeat heartbeat,
      Counters counters,
      OutboxListener listener) {
    this.store = store;
    this.channel = channel;
    this.settings = settings;
    this.pace = pace;
    this.session = session;
    this.lease = lease;
    this.heartbeat = heartbeat;
    this.counters = counters;
    this.listener = listener;
    this.pages =
        new ReadAhead(
            store.log(),
            channel.name(),
            new OutboxLog.Limit(settings.pageRecords(), settings.pageBytes()),
            pace);
  }

  /** Fences the predecessor and finds out where to go on. */
  void takeOver() throws TermEnded {
    StoreIdentity here = store.log().identity(channel.name());
    identity = here;
    // Looked at before anyone is fenced: a clone of the database must not stop the original.
    anchor(here, session.peekProgress().orElse(null), false);
    session.takeOver();
    TermEnded.unless(heartbeat.renew(lease));
    Cursor start = anchor(here, session.progress().orElse(null), true);
    cursor = start;
    TermEnded.unless(store.parking().finishReleasesBefore(lease, channel.name(), start));
    saveProgress();
    // Our claim stands at the target before anything is delivered, and with it the fence is real.
    tell();
    parking = new Parking(store.parking(), lease, channel.name());
    idleSince = Doorbell.nanos();
  }

  /** Commits the progress at the target, by itself. */
  private void tell() throws TermEnded {
    demandDone(deliver(List.of(), at()));
    told();
    owesTelling = false;
  }

  private Delivery deliver(List<OutboxRecord> messages, Cursor after) {
    // If it throws, nobody knows what is there.
    usable = false;
    Delivery delivery = new Delivery.Unavailable("the target has failed");
    OutboxListener.Sending sending =
        messages.isEmpty()
            ? OutboxListener.Sending.IGNORED
            : listener.sending(channel.name(), messages);
    try {
      delivery = session.send(messages, record(after));
    } finally {
      sending.ended(delivery);
    }
    usable = delivery instanceof Delivery.Done || delivery instanceof Delivery.Refused;
    return delivery;
  }

  private void told() {
    toldAt = Doorbell.nanos();
    toldCopies = copies;
  }

  /** Whether the last that was delivered says nothing of the copy that was made after it. */
  private boolean isTargetBehind() {
    return owesTelling && copies > toldCopies && keepsProgress();
  }

  private Cursor anchor(StoreIdentity here, @Nullable String seen, boolean warn) throws TermEnded {
    ChannelStore.Progress ours = store.channels().progress(channel.name());
    copies = ours.copies();
    Anchor anchor =
        Anchor.decide(
            here,
            lease.epoch(),
            ours,
            seen == null ? null : ProgressRecord.decode(seen),
            store.log()::isFromTheFuture);
    if (anchor instanceof Anchor.Stop stop) {
      TermEnded.unless(store.channels().stop(lease, channel.name(), stop.reason()));
      throw new TermEnded(RelayPhase.Event.STOP_SEEN, stop.reason());
    }
    if (anchor instanceof Anchor.FromDatabase copy) {
      if (warn && copy.warning() != null) {
        log.warn("channel {}: {}", channel.name(), copy.warning());
      }
      return copy.cursor();
    }
    return ((Anchor.FromTarget) anchor).cursor();
  }

  /**
   * After {@link #takeOver}: reads a page and delivers it, or copies progress.
   *
   * @return how long nothing need be looked for; zero when there is more
   */
  Duration step() throws TermEnded, InterruptedException {
    TermEnded.unless(heartbeat.holds(lease));
    if (owesCopy) {
      housekeep();
      return Duration.ZERO;
    }
    Page page = pages.next(at(), pace.hasPassed(LONGEST_EMPTY_WINDOW, emptySince));
    if (!page.isEmpty()) {
      Parking kept = Objects.requireNonNull(parking);
      long parkedBefore = kept.parked();
      deliver(page, kept);
      counters.parked.addAndGet(kept.parked() - parkedBefore);
      idleSince = Doorbell.nanos();
    }
    if (!at().from().equals(page.end().from())) {
      emptySince = Doorbell.nanos();
    }
    cursor = page.end();
    if (!page.isEmpty() && pace.copiesApart()) {
      owesCopy = true;
    } else if (pace.hasPassed(settings.progressInterval(), savedAt)) {
      housekeep();
    }
    return page.isEmpty() && !page.hasNext() ? pollAfter(Doorbell.since(idleSince)) : Duration.ZERO;
  }

  /** The longer nothing came, the longer the wait: a twentieth of the silence. */
  private Duration pollAfter(Duration idle) {
    Duration wait = idle.dividedBy(20);
    Duration least = Duration.ofMillis(1);
    if (wait.compareTo(least) < 0) {
      return least;
    }
    return wait.compareTo(settings.longestPoll()) > 0 ? settings.longestPoll() : wait;
  }

  private void housekeep() throws TermEnded {
    owesCopy = false;
    boolean silent =
        keepsProgress()
            && Doorbell.hasPassed(
                settings.progressInterval().multipliedBy(LONGEST_SILENCE_INTERVALS), toldAt);
    if (silent) {
      saved = null;
    } else if (isTargetBehind()) {
      // Nothing was delivered since the last copy, which is what ends a burst.
      tell();
    }
    saveProgress();
    if (silent) {
      tell();
    }
    ChannelState state = store.channels().state(channel.name()).orElse(ChannelState.STOPPED);
    switch (state) {
      case RUNNING -> {}
      case PAUSED -> throw new TermEnded(RelayPhase.Event.PAUSE_SEEN, "paused by an operator");
      case STOPPED -> throw new TermEnded(RelayPhase.Event.STOP_SEEN, "the channel was stopped");
    }
  }

  private void deliver(Page page, Parking parking) throws TermEnded {
    List<OutboxRecord> batch = new ArrayList<>(page.records().size());
    Cursor reached = page.start();
    for (OutboxRecord row : page.records()) {
      if (row.kind() == OutboxRecord.Kind.MESSAGE) {
        batch.add(row);
      } else {
        send(batch, reached, parking);
        batch.clear();
        obey(row, reached, parking);
      }
      reached = new Cursor(reached.from(), page.start().to(), row.position(), 0);
    }
    send(batch, page.end(), parking);
  }

  private void send(List<OutboxRecord> batch, Cursor after, Parking parking) throws TermEnded {
    List<OutboxRecord> rest = parking.holdBack(batch);
    while (!rest.isEmpty()) {
      TermEnded.unless(heartbeat.holds(lease));
      Delivery delivery = deliver(rest, after);
      if (delivery instanceof Delivery.Refused refused) {
        log.warn(
            "channel {}: {} message(s) refused and parked with the later ones of their keys: {}",
            channel.name(),
            refused.refused().size(),
            refused.refused().values().iterator().next());
        rest = parking.park(rest, refused);
        counters.delivered.addAndGet(refused.delivered().size());
      } else {
        demandDone(delivery);
        counters.delivered.addAndGet(rest.size());
        told();
        owesTelling = true;
        break;
      }
    }
    cursor = after;
  }

  /** Carries out an operator's order at its place in the log. */
  private void obey(OutboxRecord order, Cursor before, Parking parking) throws TermEnded {
    if (order.kind() == OutboxRecord.Kind.PARK) {
      parking.parkFrom(order.lane(), order.position(), "parked by an operator");
      return;
    }
    Cursor inside =
        new Cursor(
            before.from(),
            Objects.requireNonNullElse(before.to(), before.from()),
            before.position(),
            at().replayed());
    long replayed = inside.replayed();
    boolean refusedAgain = false;
    while (!refusedAgain) {
      TermEnded.unless(heartbeat.holds(lease));
      if (pace.hasPassed(settings.progressInterval(), savedAt)) {
        // How far it is, durably; and whether an operator wants it to pause.
        housekeep();
      }
      List<OutboxRecord> chunk = parking.releasable(order, replayed, REPLAY_RECORDS);
      if (chunk.isEmpty()) {
        break;
      }
      Delivery delivery = deliver(chunk, inside.withReplayed(last(chunk).position()));
      if (delivery instanceof Delivery.Refused refused) {
        refusedAgain = true;
        long first = Collections.min(refused.refused().keySet());
        parking.parkAgain(order, first, Objects.requireNonNull(refused.refused().get(first)));
        List<OutboxRecord> good =
            chunk.stream()
                .filter(message -> message.position() < first)
                .filter(message -> !refused.delivered().contains(message.position()))
                .toList();
        if (!good.isEmpty()) {
          demandDone(deliver(good, inside.withReplayed(last(good).position())));
        }
        counters.delivered.addAndGet(good.size());
      } else {
        demandDone(delivery);
        replayed = last(chunk).position();
        // What a target without progress has of it is not sent again when the next is not taken.
        cursor = inside.withReplayed(replayed);
        counters.delivered.addAndGet(chunk.size());
      }
    }
    Cursor past = new Cursor(inside.from(), inside.to(), order.position(), 0);
    demandDone(deliver(List.of(), past));
    cursor = past;
    // The database's copy must be past the row before its parked messages are forgotten: a target
    // that keeps no progress would otherwise meet the row again with nothing left to release.
    saveProgress();
    parking.finishRelease(order);
  }

  private static OutboxRecord last(List<OutboxRecord> records) {
    return records.get(records.size() - 1);
  }

  private static void demandDone(Delivery delivery) throws TermEnded {
    if (delivery instanceof Delivery.Unavailable unavailable) {
      throw new TermEnded(RelayPhase.Event.UNREACHABLE, unavailable.reason());
    }
    if (delivery instanceof Delivery.Fenced) {
      throw new TermEnded(
          RelayPhase.Event.LEASE_LOST, "a later leader has taken over at the target");
    }
    if (delivery instanceof Delivery.Refused refused) {
      throw new TermEnded(
          RelayPhase.Event.UNREACHABLE,
          "the target refused what it had taken before: " + refused.refused().values());
    }
  }

  private void saveProgress() throws TermEnded {
    savedAt = Doorbell.nanos();
    Cursor now = at();
    if (!now.equals(saved)) {
      TermEnded.unless(
          store
              .channels()
              .saveProgress(lease, channel.name(), now, keepsProgress() ? record(now) : null));
      saved = now;
      copies++;
    }
  }

  private boolean keepsProgress() {
    return channel.target().capabilities().contains(Capability.PROGRESS_MARK);
  }

  /** Copies progress back a last time, so that a target without progress repeats nothing. */
  void finish() {
    try {
      saveProgress();
      if (usable && isTargetBehind()) {
        tell();
      }
    } catch (TermEnded | RuntimeException e) {
      log.debug("channel {}: progress was not copied at the end of a term", channel.name(), e);
    }
  }

  private String record(Cursor progress) {
    return new ProgressRecord(Objects.requireNonNull(identity), lease.epoch(), copies, progress)
        .encode();
  }

  private Cursor at() {
    return Objects.requireNonNull(cursor);
  }

  @Override
  public void close() {
    pages.close();
    session.close();
  }
}
