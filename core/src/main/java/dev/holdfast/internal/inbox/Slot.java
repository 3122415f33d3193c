package dev.holdfast.internal.inbox;

import dev.holdfast.HoldfastException;
import dev.holdfast.InvalidMessage;
import dev.holdfast.inbox.Incoming;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.Objects;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Where a message belongs if it is to be parked. Immutable.
 *
 * @param incoming what it is known by; {@code null} when it cannot be told from others
 * @param refusal why it cannot
 * @param lane its key's, or its own when it has none
 * @param identity the same whenever it comes again, and no other message's; of one that cannot be
 *     told from others, the same for as long as it is in hand
 */
record Slot(
    @Nullable Incoming incoming,
    @Nullable HoldfastException refusal,
    String lane,
    byte[] identity) {
  /** In bytes, for the sake of the index on lanes. */
  private static final int LONGEST = 512;

  static <M> Slot of(Broker<M> broker, Keeper<M> keeper, M message) throws Exception {
    Incoming incoming = null;
    HoldfastException refusal = null;
    try {
      incoming = broker.incoming(message);
    } catch (InvalidMessage e) {
      refusal = e;
    }
    String own = incoming == null ? UUID.randomUUID().toString() : incoming.id();
    String key = keeper.key(message);
    String lane = key == null ? name("m:", own) : name("k:", key);
    return new Slot(incoming, refusal, lane, identity(own, incoming));
  }

  /** Why it cannot be told from others, where that is so. */
  HoldfastException refused() {
    return Objects.requireNonNull(refusal);
  }

  /** Readable where it can be. */
  private static String name(String kind, String text) {
    boolean readable =
        text.getBytes(StandardCharsets.UTF_8).length <= LONGEST
            && text.codePoints().allMatch(Slot::isReadable);
    return readable ? kind + text : "h:" + HexFormat.of().formatHex(hash(kind + text));
  }

  /** Whoever copies a name from a terminal gets no other one. */
  private static boolean isReadable(int character) {
    return switch (Character.getType(character)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SURROGATE ->
          false;
      default -> true;
    };
  }

  /** Of another message under the same id it is another. */
  private static byte[] identity(String own, @Nullable Incoming incoming) {
    byte[] says = incoming == null ? null : incoming.fingerprint();
    return hash(own + ' ' + (says == null ? "" : HexFormat.of().formatHex(says)));
  }

  private static byte[] hash(String text) {
    return Objects.requireNonNull(
        Incoming.of("lane").saying(text.getBytes(StandardCharsets.UTF_8)).fingerprint());
  }
}
