package dev.holdfast.jta;

import dev.holdfast.StoreUnavailable;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import jakarta.jms.XAConnection;
import jakarta.jms.XAConnectionFactory;
import jakarta.jms.XASession;
import java.time.Duration;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import javax.transaction.xa.XAResource;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A connection for all work, with a session for each transaction, and one for recovery. Sessions
 * are not used twice: what the work created in them, consumers with messages in hand among it, ends
 * with them.
 */
final class JmsLink implements Link<Session> {
  private static final Logger log = LoggerFactory.getLogger(JmsLink.class);
  private static final Duration WAIT = Duration.ofSeconds(30);

  /** A connection, and whether its provider has called it broken. */
  private record Opened(XAConnection connection, AtomicBoolean broken) {}

  private final String name;
  private final XAConnectionFactory connectionFactory;
  private final Semaphore free;
  private @Nullable Opened work;
  private @Nullable Opened recovery;
  private @Nullable XASession recoverySession;
  private boolean closed;

  JmsLink(String name, XAConnectionFactory connectionFactory, int bound) {
    this.name = name;
    this.connectionFactory = connectionFactory;
    this.free = new Semaphore(bound);
  }

  @Override
  public Lease<Session> lease() {
    try {
      if (!free.tryAcquire(WAIT.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new StoreUnavailable(
            "All sessions with the participant %s were in use for %s. Nothing was done there. Allow more, or find the transactions that do not end."
                .formatted(name, WAIT));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StoreUnavailable(
          "Interrupted while waiting for a session with the participant " + name, e);
    }
    try {
      return new JmsLease(this, session());
    } catch (JMSException e) {
      free.release();
      throw new StoreUnavailable(
          "The participant %s cannot be reached. Nothing was done there.".formatted(name), e);
    } catch (RuntimeException e) {
      free.release();
      throw e;
    }
  }

  /** A connection that broke without saying so is found out here, once. */
  private synchronized XASession session() throws JMSException {
    Opened opened = alive(work);
    if (opened != null) {
      try {
        return opened.connection().createXASession();
      } catch (JMSException e) {
        log.debug("The connection to {} is opened anew.", name, e);
        close(opened);
      }
    }
    opened = open();
    work = opened;
    return opened.connection().createXASession();
  }

  private @Nullable Opened alive(@Nullable Opened opened) {
    if (opened != null && opened.broken().get()) {
      close(opened);
      return null;
    }
    return opened;
  }

  private Opened open() throws JMSException {
    if (closed) {
      throw new StoreUnavailable(
          "The connections to the participant %s are closed. Nothing was done.".formatted(name));
    }
    XAConnection connection = connectionFactory.createXAConnection();
    Opened opened = new Opened(connection, new AtomicBoolean());
    try {
      connection.setExceptionListener(e -> opened.broken().set(true));
      connection.start();
      return opened;
    } catch (JMSException e) {
      close(opened);
      throw e;
    }
  }

  void giveBack(XASession session) {
    try {
      session.close();
    } catch (JMSException | RuntimeException e) {
      log.debug("A session with {} could not be closed; it is given up.", name, e);
    }
    free.release();
  }

  @Override
  public synchronized XAResource recovery() throws JMSException {
    Opened opened = alive(recovery);
    XASession session = recoverySession;
    if (opened == null || session == null) {
      opened = open();
      recovery = opened;
      session = opened.connection().createXASession();
      recoverySession = session;
    }
    return session.getXAResource();
  }

  private void close(Opened opened) {
    try {
      opened.connection().close();
    } catch (JMSException | RuntimeException e) {
      log.debug("A connection to {} could not be closed; it is given up.", name, e);
    }
  }

  @Override
  public synchronized void close() {
    closed = true;
    if (work != null) {
      close(work);
    }
    if (recovery != null) {
      close(recovery);
    }
    work = null;
    recovery = null;
    recoverySession = null;
  }
}
