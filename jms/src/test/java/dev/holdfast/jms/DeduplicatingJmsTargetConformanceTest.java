package dev.holdfast.jms;

import java.time.Duration;

/** Artemis as a target that drops repeats: the same promises, and repeats are not refused. */
final class DeduplicatingJmsTargetConformanceTest extends JmsTargetConformanceTest {
  @Override
  JmsTarget mode(JmsTarget target) {
    return target.artemisDeduplication(Duration.ofMinutes(5));
  }
}
