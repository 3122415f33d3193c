package dev.holdfast.cli.takeover;

import dev.holdfast.HoldfastException;
import dev.holdfast.outbox.store.ChannelState;
import dev.holdfast.outbox.store.ChannelStatus;
import dev.holdfast.outbox.store.Store;
import java.util.List;

/** The channels that will deliver what an old outbox's trigger publishes. */
record Channels(List<ChannelStatus> taking) {

  /** Those that take a topic that begins so. */
  static Channels taking(Store store, String prefix) {
    return new Channels(
        store.channels().names().stream()
            .map(store.channels()::status)
            .filter(channel -> channel.patterns().stream().anyMatch(p -> overlap(p, prefix)))
            .toList());
  }

  private static boolean overlap(String pattern, String prefix) {
    int star = pattern.indexOf('*');
    String start = star < 0 ? pattern : pattern.substring(0, star);
    return start.startsWith(prefix) || prefix.startsWith(start);
  }

  /** Fails unless they wait, while somebody else delivers older messages of the same keys. */
  void requireWaiting() {
    for (ChannelStatus channel : taking) {
      if (channel.state() == ChannelState.RUNNING || channel.leader() != null) {
        throw new HoldfastException(
            "Channel %s is %s, and would send new messages of a key before the connector has sent its older ones; nothing was done. Run: holdfast outbox pause --channel %s, and then this again. Or give --unordered if order does not matter."
                .formatted(
                    channel.name(),
                    channel.state() == ChannelState.RUNNING
                        ? "running"
                        : "still led by " + channel.leader(),
                    channel.name()));
      }
    }
  }

  String names() {
    return String.join(", ", taking.stream().map(ChannelStatus::name).toList());
  }
}
