package dev.holdfast.outbox.store;

/** What a channel is meant to do; what it does is up to whoever leads it. */
public enum ChannelState {
  RUNNING,
  /** By an operator; messages wait. */
  PAUSED,
  /** By Holdfast, with a reason: going on would lose or invent messages. */
  STOPPED
}
