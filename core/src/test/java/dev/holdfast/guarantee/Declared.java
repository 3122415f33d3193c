package dev.holdfast.guarantee;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Boundary;
import dev.holdfast.boundary.Capability;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A boundary that is nothing but what it declares. */
record Declared(
    String description, Map<Capability, Optional<Duration>> declared, Acknowledgment acknowledgment)
    implements Boundary {

  /** With the windows of a boundary that says nothing of them. */
  static Declared of(String description, Capability... capabilities) {
    Declared bare = new Declared(description, Map.of(), Acknowledgment.COMMITTED);
    for (Capability capability : capabilities) {
      bare = bare.with(capability, bare.windowUnsaid(capability));
    }
    return bare;
  }

  Declared with(Capability capability, Optional<Duration> window) {
    Map<Capability, Optional<Duration>> more = new HashMap<>(declared);
    more.put(capability, window);
    return new Declared(description, Map.copyOf(more), acknowledgment);
  }

  Declared with(Capability capability, Duration window) {
    return with(capability, Optional.of(window));
  }

  Declared acknowledging(Acknowledgment rung) {
    return new Declared(description, declared, rung);
  }

  @Override
  public Set<Capability> capabilities() {
    return declared.keySet();
  }

  @Override
  public Optional<Duration> window(Capability capability) {
    Optional<Duration> window = declared.get(capability);
    return window == null ? windowUnsaid(capability) : window;
  }

  private Optional<Duration> windowUnsaid(Capability capability) {
    return Boundary.super.window(capability);
  }
}
