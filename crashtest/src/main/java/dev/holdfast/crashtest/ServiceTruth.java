package dev.holdfast.crashtest;

import java.time.Duration;

/** A resource that the lab knows by name only; what is there is counted by somebody else. */
final class ServiceTruth implements Truth {

  @Override
  public void begin() {
    // Nothing is kept.
  }

  @Override
  public void lookAnew() {
    // Nothing is kept.
  }

  @Override
  public Duration delay() {
    return Duration.ZERO;
  }

  @Override
  public void close() {
    // Nothing is open.
  }
}
