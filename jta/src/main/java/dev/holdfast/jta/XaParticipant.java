package dev.holdfast.jta;

import dev.holdfast.InvalidConfiguration;
import jakarta.jms.Session;
import jakarta.jms.XAConnectionFactory;
import java.util.regex.Pattern;
import javax.sql.XADataSource;

/**
 * A place that a transaction can commit in. A value: connections are opened by {@link XaCommit}.
 *
 * @param <T> what the work is given to act there
 */
public abstract sealed class XaParticipant<T> permits JdbcParticipant, JmsParticipant {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_.-]{1,63}");

  private final String name;

  XaParticipant(String name) {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidConfiguration(
          "A participant is named '%s'. Nothing was started. A name has 1 to 63 letters, digits, dots, hyphens and underscores."
              .formatted(name));
    }
    this.name = name;
  }

  /**
   * A database. Of PostgreSQL, {@code max_prepared_transactions} must be at least the number of
   * transactions at a time.
   *
   * @param name for errors and logs, unique among the participants; the same over restarts
   * @param dataSource opens connections of its own, as {@code PGXADataSource} does: they are pooled
   *     here
   */
  public static XaParticipant<XaBranch> jdbc(String name, XADataSource dataSource) {
    return new JdbcParticipant(name, dataSource);
  }

  /**
   * A broker. The work is given a session, of which {@code commit}, {@code rollback}, {@code
   * recover}, {@code close} and {@code setMessageListener} are refused; what it creates ends with
   * the transaction. At Artemis, queues must not be deleted when they are empty ({@code
   * auto-delete-queues}), since a branch in doubt would lose its queue.
   *
   * @param name for errors and logs, unique among the participants; the same over restarts
   */
  public static XaParticipant<Session> jms(String name, XAConnectionFactory connectionFactory) {
    return new JmsParticipant(name, connectionFactory);
  }

  /** As it was given. */
  public final String name() {
    return name;
  }

  /**
   * Connects, and checks what can be.
   *
   * @param bound connections for work at a time
   */
  abstract Link<T> connect(int bound);

  @Override
  public final String toString() {
    return name;
  }
}
