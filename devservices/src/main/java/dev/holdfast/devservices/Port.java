package dev.holdfast.devservices;

/** A port of one server: given by the user, or a free one, which is exchanged when it is taken. */
final class Port {
  private final boolean given;
  private volatile int number;

  private Port(boolean given, int number) {
    this.given = given;
    this.number = number;
  }

  static Port free() {
    return new Port(false, Ports.free());
  }

  /**
   * @param number 0 for a free one
   */
  static Port of(int number) {
    return number == 0 ? free() : new Port(true, number);
  }

  /** Refuses what is no port. */
  static int check(int number) {
    if (number < 1 || number > 65_535) {
      throw new IllegalArgumentException("Not a port: " + number);
    }
    return number;
  }

  int number() {
    return number;
  }

  boolean isFree() {
    return Ports.isFree(number);
  }

  /** Chooses another port in place of one that is taken; false when there was no need or choice. */
  boolean replaceIfTaken() {
    if (given || isFree()) {
      return false;
    }
    number = Ports.free();
    return true;
  }
}
