package dev.holdfast.crashtest.resource;

/**
 * The address of a server as one process knows it: a relay of its own, which is cut when the
 * process crashes. For clients of every kind.
 */
public final class RelayedAddress implements Fence {
  private final RelayWire wire;

  private RelayedAddress(RelayWire wire) {
    this.wire = wire;
  }

  /** Opens a relay for a process. */
  public static RelayedAddress of(Hook hook, String host, int port) {
    RelayedAddress address = new RelayedAddress(new RelayWire(host, port));
    hook.fence(address);
    return address;
  }

  /** In the form {@code host:port}. */
  @Override
  public String toString() {
    return wire.host() + ":" + wire.port();
  }

  Wire wire() {
    return wire;
  }

  /**
   * Runs a request such that its answer is lost: for {@link CommitAction#performLosingAnswer}.
   * Other requests must be made by {@link #request}, or theirs could be the answer that is lost.
   */
  public <T, E extends Exception> T losingAnswer(Call<T, E> request) throws E {
    return wire.losingAnswer(request::run);
  }

  /** Runs a request. */
  public <T, E extends Exception> T request(Call<T, E> request) throws E {
    return wire.request(request::run);
  }

  /** Something that goes out and is answered. */
  @FunctionalInterface
  public interface Call<T, E extends Exception> {
    T run() throws E;
  }

  @Override
  public void cut() {
    wire.cut();
  }

  @Override
  public void end() {
    wire.close();
  }

  @Override
  public void reopen() {
    // The next process has a relay of its own.
  }

  @Override
  public void close() {
    wire.close();
  }
}
