package dev.holdfast.projection;

import dev.holdfast.HoldfastException;

/**
 * The log is another one than a channel's target has had events of, or has lost some of them.
 * Nothing was sent.
 */
final class OtherLog extends HoldfastException {
  private static final long serialVersionUID = 1L;

  OtherLog(EventChannel channel, long position) {
    super(
        "The target has had another event at position %d than there is: the database has lost commits, by a failover or a restore, or is another one. Nothing was sent by %s, and nothing will be, since other events got the positions that the target has had. Find out what was lost, and publish by a channel of another name, which sends all that is there again."
            .formatted(position, channel));
  }
}
