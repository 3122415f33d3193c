package dev.holdfast.crashtest;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A target that refuses a message for what it is, until somebody has removed the cause. It stands
 * in front of the real one, which is then not asked at all, so that what any target may do happens
 * at any target at will. The causes outlive a crash, as they do in the world.
 */
final class RefusingTarget implements Target {
  /** What such a message says. */
  static final String REFUSED = "refused";

  private static final Set<String> REMOVED = ConcurrentHashMap.newKeySet();
  private static final Set<String> HAS_REFUSED = ConcurrentHashMap.newKeySet();

  private final Target real;

  RefusingTarget(Target real) {
    this.real = real;
  }

  /** From now on messages of this key are taken. */
  static void removeCause(String key) {
    REMOVED.add(key);
  }

  /** Whether a message of this key was refused. */
  static boolean hasRefused(String key) {
    return HAS_REFUSED.contains(key);
  }

  @Override
  public String description() {
    return real.description();
  }

  @Override
  public String kind() {
    return real.kind();
  }

  @Override
  public List<Assumption> assumptions() {
    return real.assumptions();
  }

  @Override
  public Optional<Duration> window(Capability capability) {
    return real.window(capability);
  }

  @Override
  public Set<Capability> capabilities() {
    return real.capabilities();
  }

  @Override
  public Acknowledgment acknowledgment() {
    return real.acknowledgment();
  }

  @Override
  public TargetSession open(Context context) {
    return new Session(real.open(context));
  }

  private static boolean isRefused(OutboxRecord message) {
    byte[] payload = message.payload();
    if (payload == null || !new String(payload, StandardCharsets.UTF_8).equals(REFUSED)) {
      return false;
    }
    String key = Objects.requireNonNull(message.key());
    if (REMOVED.contains(key)) {
      return false;
    }
    HAS_REFUSED.add(key);
    return true;
  }

  private record Session(TargetSession real) implements TargetSession {
    @Override
    public Optional<String> peekProgress() {
      return real.peekProgress();
    }

    @Override
    public void takeOver() {
      real.takeOver();
    }

    @Override
    public Optional<String> progress() {
      return real.progress();
    }

    @Override
    public Delivery send(List<OutboxRecord> messages, String progress) {
      Map<Long, String> refused = new HashMap<>();
      messages.stream()
          .filter(RefusingTarget::isRefused)
          .forEach(message -> refused.put(message.position(), "refused by the conformance suite"));
      return refused.isEmpty()
          ? real.send(messages, progress)
          : new Delivery.Refused(refused, Set.of());
    }

    @Override
    public void close() {
      real.close();
    }
  }
}
