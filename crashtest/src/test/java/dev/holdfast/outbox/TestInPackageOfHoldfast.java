package dev.holdfast.outbox;

/** A test's class in one of Holdfast's own packages. */
public final class TestInPackageOfHoldfast {
  private TestInPackageOfHoldfast() {}
}
