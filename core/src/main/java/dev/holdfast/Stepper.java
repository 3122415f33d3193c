package dev.holdfast;

import dev.holdfast.outbox.Relay;
import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelayStatus;
import java.util.HashSet;
import java.util.Set;

/**
 * A {@link Holdfast} of which nothing runs by itself: no relay, no upkeep, no heartbeat, no hints.
 * Its caller steps them, one thing at a time, on the caller's thread. For tests, of what an
 * application does between a commit and the delivery of its messages, and of what a crash there
 * leaves. Made by {@link Holdfast.Builder#manual}; thread-safe, one step at a time.
 *
 * <p>The steps are those that the threads make. Of a channel, in the states of {@link
 * dev.holdfast.outbox.RelayPhase}:
 *
 * <table>
 * <caption>The steps of a channel</caption>
 * <tr><th>in</th><th>a step</th><th>a crash after it leaves</th></tr>
 * <tr><td>{@code STANDBY}</td><td>tries for the lease</td><td>the lease, until it expires by the
 * database's time</td></tr>
 * <tr><td>{@code TAKING_OVER}</td><td>fences the predecessor, and finds out where to go on</td>
 * <td>the target fenced, and progress in both places</td></tr>
 * <tr><td>{@code LEADING}</td><td>reads one page and delivers it with its progress</td><td>the
 * messages and their progress at the target; the database's copy is behind. A target that keeps no
 * progress gets the page again</td></tr>
 * <tr><td>{@code LEADING}, after a page</td><td>copies progress to the database, and looks whether
 * an operator has paused the channel</td><td>nothing to make up for</td></tr>
 * <tr><td>{@code BLOCKED}</td><td>goes back to {@code STANDBY}, however short the wait has been
 * </td><td>–</td></tr>
 * <tr><td>{@code PAUSED}, {@code STOPPED}</td><td>looks whether it may run</td><td>–</td></tr>
 * </table>
 *
 * <p>A step of the upkeep takes or renews the upkeep's lease, moves delayed messages that are due
 * into the log, rotates segments, and expires, folds and forgets reservations.
 *
 * <p>What would wait for the time of the process to pass does not wait: each step renews the lease,
 * progress is copied after every page, and an empty window is closed at once. The database's time
 * is not stepped: leases expire, delayed messages come due and retention ends by it. Threads that
 * the client library of a target starts, as Kafka's does, are its own affair.
 */
public final class Stepper implements AutoCloseable {
  private final Holdfast holdfast;
  private final Relay relay;

  Stepper(Holdfast holdfast, Relay relay) {
    this.holdfast = holdfast;
    this.relay = relay;
  }

  /** What the application uses. Closing it ends this one, too. */
  public Holdfast holdfast() {
    return holdfast;
  }

  /**
   * One step of a channel.
   *
   * @return whether it has more to do at once; when it has not, {@link Holdfast#status} says
   *     whether it leads and, if not, what keeps it
   * @throws IllegalStateException when it has ended, or has no such channel
   */
  public boolean step(String channel) {
    return relay.step(channel);
  }

  /**
   * One step of the upkeep.
   *
   * @throws IllegalStateException when it has ended
   */
  public void upkeep() {
    relay.upkeep();
  }

  /**
   * Steps the upkeep and all channels until none has anything to do at once: everything committed
   * and due is delivered, parked, or held up by what {@link Holdfast#status} names. A channel that
   * cannot reach its target is tried once.
   *
   * @param mostSteps of each channel; what others go on publishing could keep it busy for ever
   * @return how many steps were made of channels
   * @throws IllegalStateException when so many steps are not enough, or it has ended
   */
  public int runUntilIdle(int mostSteps) {
    int steps = 0;
    Set<String> blocked = new HashSet<>();
    for (int round = 0; round < mostSteps; round++) {
      upkeep();
      boolean busy = false;
      for (RelayStatus before : relay.status()) {
        String channel = before.channel();
        if (!blocked.contains(channel)) {
          steps++;
          boolean more = step(channel);
          busy |= more;
          if (!more && isBlocked(channel)) {
            blocked.add(channel);
          }
        }
      }
      if (!busy) {
        return steps;
      }
    }
    throw new IllegalStateException(
        "There is still something to do after %d steps of each channel: %s. What was delivered stays so. Allow more steps, or look for what goes on publishing."
            .formatted(mostSteps, relay.status()));
  }

  private boolean isBlocked(String channel) {
    return relay.status().stream()
        .anyMatch(
            status -> status.channel().equals(channel) && status.phase() == RelayPhase.BLOCKED);
  }

  /** As {@link #runUntilIdle(int)}, with 10,000 steps. */
  public int runUntilIdle() {
    return runUntilIdle(10_000);
  }

  /**
   * Ends as a process does that dies between two steps: connections to targets are closed, nothing
   * is copied, and leases stay until they expire. Another one can go on from there.
   *
   * @throws IllegalStateException when it has ended
   */
  public void abandon() {
    relay.abandon();
  }

  /** Ends cleanly, as {@link Holdfast#close}: progress is copied and leases are released. */
  @Override
  public void close() {
    holdfast.close();
  }
}
