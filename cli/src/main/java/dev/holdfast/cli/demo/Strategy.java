package dev.holdfast.cli.demo;

import java.sql.SQLException;

/** A way of writing an order and its message, as it runs inside the order service. Thread-safe. */
interface Strategy extends AutoCloseable {

  /**
   * Writes the order and its message, or finds that the order is there already. May be called again
   * with the same id after any failure.
   *
   * @throws SQLException when the database could not do its part
   * @throws MessageNotSent when the broker could not
   */
  void place(String orderId, String customer)
      throws SQLException, InterruptedException, MessageNotSent;

  @Override
  void close();

  /** The broker did not acknowledge. */
  final class MessageNotSent extends Exception {
    private static final long serialVersionUID = 1L;

    MessageNotSent(Throwable cause) {
      super(cause);
    }
  }
}
