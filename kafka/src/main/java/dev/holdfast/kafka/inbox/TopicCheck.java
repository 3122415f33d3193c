package dev.holdfast.kafka.inbox;

import java.util.Collection;
import java.util.Objects;
import java.util.Set;
import java.util.UUID;
import java.util.stream.Collectors;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * Whether what was polled is of the topics that are read. Asked after each poll, so that the answer
 * is true of what was polled, and needed before it is committed. Used by the consumer's thread.
 */
final class TopicCheck {
  private final TopicIds ids;
  private TopicIds.@Nullable Question open;

  TopicCheck(TopicIds ids) {
    this.ids = ids;
  }

  /** The answer has not come, or is not what it should be. Nothing is committed. */
  static final class Unconfirmed extends RuntimeException {
    private static final long serialVersionUID = 1L;
  }

  void ask(Collection<Reading> readings) {
    open =
        ids.ask(
            readings.stream()
                .map(reading -> reading.partition.topicId())
                .collect(Collectors.toSet()));
  }

  /** Whether an answer is needed still. */
  boolean isOpen() {
    return open != null;
  }

  /**
   * Waits for the answer: the topics that are there no longer.
   *
   * @throws KafkaException when nobody answers; it has to be asked again
   */
  Set<UUID> gone() {
    Set<UUID> gone = Objects.requireNonNull(open).gone();
    open = null;
    return gone;
  }

  /**
   * At the end of a transaction: the answer has come while it ran. If not, or if it is bad, it is
   * waited for outside.
   *
   * @throws Unconfirmed then
   */
  void confirm() {
    TopicIds.Question question = open;
    if (question != null) {
      if (!question.isAnswered() || !isGood(question)) {
        throw new Unconfirmed();
      }
      open = null;
    }
  }

  private static boolean isGood(TopicIds.Question question) {
    try {
      return question.gone().isEmpty();
    } catch (KafkaException e) {
      return false;
    }
  }
}
