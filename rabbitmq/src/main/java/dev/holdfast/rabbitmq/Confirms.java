package dev.holdfast.rabbitmq;

import com.rabbitmq.client.AMQP;
import com.rabbitmq.client.Channel;
import com.rabbitmq.client.Connection;
import com.rabbitmq.client.Return;
import com.rabbitmq.client.ShutdownSignalException;
import dev.holdfast.internal.Doorbell;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A channel with publisher confirms, and what the broker has answered for what was published on it.
 * Published to by one thread; the answers come on the connection's. A message that no queue gets is
 * returned, and confirmed after that.
 */
final class Confirms {
  /** What the broker has answered for one message. */
  enum Answer {
    /** On the disks of all queues that got it. */
    CONFIRMED,
    /** No queue would get it. */
    RETURNED,
    /** Not taken, for a reason of the broker's own. */
    NACKED
  }

  private final Channel channel;
  private final Doorbell answered = new Doorbell();

  // All of them guarded by this.
  private final SortedMap<Long, String> outstanding = new TreeMap<>();
  private final Map<String, Answer> answers = new HashMap<>();
  private final Map<String, String> returned = new HashMap<>();
  private @Nullable ShutdownSignalException shutdown;

  private Confirms(Channel channel) {
    this.channel = channel;
  }

  static Confirms open(Connection connection) throws IOException {
    Channel channel = connection.createChannel();
    if (channel == null) {
      throw new IOException("The connection has no room for another channel.");
    }
    Confirms confirms = new Confirms(channel);
    channel.addReturnListener(confirms::onReturn);
    channel.addConfirmListener(
        (tag, multiple) -> confirms.onAnswer(tag, multiple, Answer.CONFIRMED),
        (tag, multiple) -> confirms.onAnswer(tag, multiple, Answer.NACKED));
    channel.addShutdownListener(confirms::onShutdown);
    channel.confirmSelect();
    return confirms;
  }

  /** Forgets the answers so far. */
  synchronized void begin() {
    outstanding.clear();
    answers.clear();
    returned.clear();
  }

  /**
   * Publishes one message, mandatory.
   *
   * @param id in the properties, by which a return is told; unique on this channel until answered
   */
  void publish(String id, RabbitMqRoute to, AMQP.BasicProperties properties, byte[] body)
      throws IOException {
    synchronized (this) {
      outstanding.put(channel.getNextPublishSeqNo(), id);
    }
    channel.basicPublish(to.exchange(), to.routingKey(), true, properties, body);
  }

  /**
   * Waits until all that was published is answered.
   *
   * @return whether it was, in time
   * @throws ShutdownSignalException when the channel was closed before it was
   */
  boolean await(Duration atMost) throws InterruptedException {
    long began = Doorbell.nanos();
    while (true) {
      synchronized (this) {
        if (outstanding.isEmpty()) {
          return true;
        }
        if (shutdown != null) {
          throw shutdown;
        }
      }
      Duration left = atMost.minus(Doorbell.since(began));
      if (left.isNegative() || left.isZero()) {
        return false;
      }
      answered.await(left);
    }
  }

  /** What was answered for a message, or {@code null} when nothing was. */
  synchronized @Nullable Answer answer(String id) {
    return answers.get(id);
  }

  /** Why a message was returned. */
  synchronized String reason(String id) {
    return returned.getOrDefault(id, "returned");
  }

  private synchronized void onReturn(Return back) {
    // Somebody else's message, which is published on by itself, may have no id.
    String id =
        outstanding.size() == 1
            ? outstanding.get(outstanding.firstKey())
            : back.getProperties().getMessageId();
    if (id != null) {
      returned.put(
          id,
          "%s: no queue is bound to exchange '%s' with routing key '%s'"
              .formatted(back.getReplyText(), back.getExchange(), back.getRoutingKey()));
    }
  }

  private void onAnswer(long tag, boolean multiple, Answer answer) {
    synchronized (this) {
      List<Long> done =
          multiple ? new ArrayList<>(outstanding.headMap(tag + 1).keySet()) : List.of(tag);
      for (Long each : done) {
        String id = outstanding.remove(each);
        if (id != null) {
          boolean back = answer == Answer.CONFIRMED && returned.containsKey(id);
          answers.put(id, back ? Answer.RETURNED : answer);
        }
      }
    }
    answered.ring();
  }

  private void onShutdown(ShutdownSignalException cause) {
    synchronized (this) {
      shutdown = cause;
    }
    answered.ring();
  }

  /** Whether the broker has not closed it. */
  boolean isOpen() {
    return channel.isOpen();
  }
}
