package dev.holdfast.outbox;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.holdfast.Message;
import dev.holdfast.outbox.store.OutboxRecord;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** A listener learns of the work and cannot disturb it. */
final class GuardedListenersTest {
  private static final Message MESSAGE = Message.of("orders.placed", "k", "{}");

  private static final OutboxRecord RECORD =
      new OutboxRecord(
          1,
          OutboxRecord.Kind.MESSAGE,
          UUID.randomUUID(),
          "orders.placed",
          "k",
          "orders.placed",
          "application/json",
          null,
          Map.of(),
          null,
          0);

  private static class Recorder implements OutboxListener {
    final List<String> seen = new ArrayList<>();

    @Override
    public Message publishing(Message message) {
      seen.add("publishing");
      return message.withHeader("seen", "yes");
    }

    @Override
    public void recorded(String operationId, List<Message> messages) {
      seen.add("recorded " + operationId);
    }

    @Override
    public Sending sending(String channel, List<OutboxRecord> messages) {
      seen.add("sending to " + channel);
      return delivery -> seen.add("ended " + delivery);
    }

    @Override
    public void phase(String channel, RelayPhase from, RelayPhase to, @Nullable String problem) {
      seen.add(channel + " " + from + " " + to);
    }
  }

  private static final OutboxListener THROWING =
      new OutboxListener() {
        @Override
        public Message publishing(Message message) {
          throw new IllegalStateException("publishing");
        }

        @Override
        public void recorded(String operationId, List<Message> messages) {
          throw new IllegalStateException("recorded");
        }

        @Override
        public Sending sending(String channel, List<OutboxRecord> messages) {
          if (channel.equals("early")) {
            throw new IllegalStateException("sending");
          }
          return delivery -> {
            throw new IllegalStateException("ended");
          };
        }

        @Override
        public void phase(
            String channel, RelayPhase from, RelayPhase to, @Nullable String problem) {
          throw new IllegalStateException("phase");
        }
      };

  @Test
  void oneThatThrowsDisturbsNeitherTheWorkNorTheOthers() {
    Recorder recorder = new Recorder();
    OutboxListener all = OutboxListener.all(List.of(THROWING, recorder));

    assertThat(all.publishing(MESSAGE).headers()).containsEntry("seen", "yes");
    assertThatCode(
            () -> {
              all.recorded("op", List.of(MESSAGE));
              all.sending("early", List.of(RECORD)).ended(new Delivery.Done());
              all.sending("late", List.of(RECORD)).ended(new Delivery.Fenced());
              all.phase("late", RelayPhase.STANDBY, RelayPhase.CLOSED, null);
            })
        .doesNotThrowAnyException();
    assertThat(recorder.seen)
        .containsExactly(
            "publishing",
            "recorded op",
            "sending to early",
            "ended Done[]",
            "sending to late",
            "ended Fenced[]",
            "late STANDBY CLOSED");
  }

  @Test
  void headersMayBeAddedAndNothingElseChanged() {
    for (Message other :
        List.of(
            Message.of("orders.placed", "k", "{}"),
            Message.to("orders.other").id(MESSAGE.id()).key("k").json("{}").build(),
            Message.to("orders.placed").id(MESSAGE.id()).key("other").json("{}").build(),
            Message.to("orders.placed").id(MESSAGE.id()).key("k").json("[]").build())) {
      OutboxListener all =
          OutboxListener.all(
              List.of(
                  new Recorder() {
                    @Override
                    public Message publishing(Message message) {
                      return other;
                    }
                  }));
      assertThat(all.publishing(MESSAGE)).isSameAs(MESSAGE);
    }
  }

  @Test
  void aMessageWithOneMoreHeaderIsTheSameOtherwise() {
    Message before =
        Message.to("orders.placed")
            .key("k")
            .type("placed")
            .payload("text/plain", new byte[] {1})
            .header("a", "1")
            .deliverAt(Instant.EPOCH)
            .dedupeKey("d")
            .build();

    Message after = before.withHeader("b", "2").withHeader("a", "3");

    assertThat(after.headers()).isEqualTo(Map.of("a", "3", "b", "2"));
    assertThat(after).usingRecursiveComparison().ignoringFields("headers").isEqualTo(before);
  }
}
