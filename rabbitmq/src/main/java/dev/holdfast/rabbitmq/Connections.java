package dev.holdfast.rabbitmq;

import com.rabbitmq.client.Connection;
import com.rabbitmq.client.ConnectionFactory;

/** Connections as both ends of a channel want them. */
final class Connections {
  private static final int CLOSING_MS = 2_000;

  /** In place of ten minutes: a broker that hangs is an outage, and soon. */
  private static final int LONGEST_ANSWER_MS = 10_000;

  private Connections() {}

  /**
   * Of our own, so that nobody changes it. Without the client's recovery, which would go on with
   * channels whose unconfirmed and unacknowledged messages nobody counts any more: what failed is
   * opened anew here, from what is committed. What the user has set otherwise stays.
   */
  static ConnectionFactory copy(ConnectionFactory given) {
    ConnectionFactory copy = given.clone();
    copy.setAutomaticRecoveryEnabled(false);
    copy.setTopologyRecoveryEnabled(false);
    if (copy.getChannelRpcTimeout() == ConnectionFactory.DEFAULT_CHANNEL_RPC_TIMEOUT) {
      copy.setChannelRpcTimeout(LONGEST_ANSWER_MS);
    }
    return copy;
  }

  /** Without the user and the password. */
  static String describe(ConnectionFactory factory) {
    return "rabbitmq %s:%d %s"
        .formatted(factory.getHost(), factory.getPort(), factory.getVirtualHost());
  }

  /** Closes it with all that hangs on it, within two seconds. Never throws. */
  static void close(Connection connection) {
    connection.abort(CLOSING_MS);
  }
}
