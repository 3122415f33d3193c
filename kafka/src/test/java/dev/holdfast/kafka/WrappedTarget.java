package dev.holdfast.kafka;

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

/** A target that is asked through another. */
interface WrappedTarget extends Target {
  Target target();

  @Override
  default String description() {
    return target().description();
  }

  @Override
  default String kind() {
    return target().kind();
  }

  @Override
  default List<Assumption> assumptions() {
    return target().assumptions();
  }

  @Override
  default Optional<Duration> window(Capability capability) {
    return target().window(capability);
  }

  @Override
  default Set<Capability> capabilities() {
    return target().capabilities();
  }

  @Override
  default Acknowledgment acknowledgment() {
    return target().acknowledgment();
  }

  /** A session that is used through another. */
  interface Session extends TargetSession {
    TargetSession session();

    @Override
    default Optional<String> peekProgress() {
      return session().peekProgress();
    }

    @Override
    default void takeOver() {
      session().takeOver();
    }

    @Override
    default Optional<String> progress() {
      return session().progress();
    }

    @Override
    default Delivery send(List<OutboxRecord> messages, String progress) {
      return session().send(messages, progress);
    }

    @Override
    default void close() {
      session().close();
    }
  }
}
