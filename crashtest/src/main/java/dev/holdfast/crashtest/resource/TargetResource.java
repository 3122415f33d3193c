package dev.holdfast.crashtest.resource;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Assumption;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.Delivery;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.store.OutboxRecord;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a relay delivers to, as one process reaches it. A delivery of messages is a commit point;
 * one of progress alone, and a takeover, are the relay's own business, and fenced only.
 *
 * <p>Its network is that of the address that the target was made with, such as a {@link
 * KafkaAddress}.
 */
public final class TargetResource implements Target {
  private final String name;
  private final Hook hook;
  private final @Nullable KafkaBroker broker;
  private final Target real;

  private TargetResource(String name, Hook hook, @Nullable KafkaBroker broker, Target real) {
    this.name = name;
    this.hook = hook;
    this.broker = broker;
    this.real = real;
  }

  /** Wraps a target of any kind, whose answers are lost on their way to the relay. */
  public static Target of(String name, Hook hook, Target real) {
    return new TargetResource(name, hook, null, real);
  }

  /** Wraps a target at Kafka, whose answers are lost on the network. */
  public static Target of(String name, Hook hook, KafkaBroker broker, Target real) {
    return new TargetResource(name, hook, broker, real);
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
    return alive(() -> new Session(real.open(context)));
  }

  private <T> T alive(Supplier<T> call) {
    hook.check();
    try {
      return call.get();
    } finally {
      // What fails because the process was crashed meanwhile is no answer to anybody.
      hook.check();
    }
  }

  private final class Session implements TargetSession {
    private final TargetSession session;

    Session(TargetSession session) {
      this.session = session;
    }

    @Override
    public Optional<String> peekProgress() {
      return alive(session::peekProgress);
    }

    @Override
    public void takeOver() {
      alive(
          () -> {
            session.takeOver();
            return true;
          });
    }

    @Override
    public Optional<String> progress() {
      return alive(session::progress);
    }

    @Override
    public Delivery send(List<OutboxRecord> messages, String progress) {
      if (messages.isEmpty()) {
        return alive(() -> session.send(messages, progress));
      }
      TreeSet<String> topics = new TreeSet<>();
      messages.forEach(message -> topics.add(message.topic()));
      Site site = Site.current();
      List<Change> changes = topics.stream().map(topic -> new Change(topic, site)).toList();
      return hook.commit(
          new Commit(name, "deliver", String.join(", ", topics), changes),
          new CommitAction<Delivery, RuntimeException>() {
            @Override
            public Delivery perform() {
              return session.send(messages, progress);
            }

            @Override
            public boolean awaitEffect(Delivery answer) {
              return answer instanceof Delivery.Done;
            }

            @Override
            public Delivery performLosingAnswer() {
              if (broker == null) {
                Delivery answer = perform();
                return awaitEffect(answer)
                    ? new Delivery.Unavailable("The answer was lost.")
                    : answer;
              }
              return KafkaAnswers.lose(
                  broker,
                  KafkaLooks.decidedEnds(broker, topics),
                  this::perform,
                  answer -> answer != null);
            }
          });
    }

    @Override
    public void close() {
      session.close();
    }
  }
}
