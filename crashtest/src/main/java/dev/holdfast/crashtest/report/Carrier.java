package dev.holdfast.crashtest.report;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** How a fault is brought about. */
public enum Carrier {
  /**
   * A simulated crash, within this JVM: the network of the process is cut, its connections are
   * aborted, and every later use of its resources fails.
   */
  FENCED("simulated crash"),
  /** A real one: a JVM of its own is halted, and another one started. */
  FORKED("forked crash"),
  /** No crash: the resource does what was asked, and its answer is lost on the network. */
  LOST_ACK("lost acknowledgment"),
  /**
   * A simulated crash, and while the process is down the scenario's drill befalls the resources: a
   * failover that loses commits, a restored backup, a clone, a lost disk.
   */
  DRILL("drill");

  private final String words;

  Carrier(String words) {
    this.words = words;
  }

  /** As ids and commands name it, such as {@code lost-ack}. */
  public String id() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }

  /** The carrier with this id, if there is one. */
  public static Optional<Carrier> byId(String id) {
    return Arrays.stream(values()).filter(each -> each.id().equals(id)).findFirst();
  }

  /** The words for people. */
  public String words() {
    return words;
  }
}
