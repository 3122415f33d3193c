package dev.holdfast.crashtest.report;

import org.jspecify.annotations.Nullable;

/**
 * A fault that is planned, or was made.
 *
 * @param stage where in relation to the point
 * @param point the point; none for stages that have none
 * @param number the point's place in the order in which it was found, from 1; 0 without a point
 */
public record Fault(Stage stage, @Nullable CommitPoint point, int number) {

  /** Such as {@code ack-lost@2-9c1e}. */
  public String id() {
    return point == null ? stage.id() : "%s@%d-%s".formatted(stage.id(), number, point.digest());
  }

  /** For people: with what and where. */
  public String describe(Carrier carrier) {
    boolean answer = carrier == Carrier.LOST_ACK && stage == Stage.ACK_LOST;
    return carrier.words() + " " + (answer ? "of " + where() : this);
  }

  @Override
  public String toString() {
    return point == null ? stage.words() : stage.words() + " " + where();
  }

  private String where() {
    return point == null ? "" : "%s%d [%s]".formatted(letter(point.phase()), number, point);
  }

  private static String letter(Phase phase) {
    return switch (phase) {
      case OPERATION -> "p";
      case RECOVERY -> "recovery r";
      case RETRY -> "retry t";
    };
  }
}
