package dev.holdfast.jta;

import jakarta.jms.IllegalStateException;
import jakarta.jms.JMSException;
import jakarta.jms.Session;
import jakarta.jms.XASession;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Objects;
import javax.transaction.xa.XAResource;
import org.jspecify.annotations.Nullable;

/** A session of one transaction. */
final class JmsLease implements Link.Lease<Session> {
  private final JmsLink link;
  private final XASession session;
  private final Session delegate;
  private final Session guarded;
  private volatile boolean ended;

  JmsLease(JmsLink link, XASession session) throws JMSException {
    this.link = link;
    this.session = session;
    this.delegate = session.getSession();
    this.guarded =
        (Session)
            Proxy.newProxyInstance(
                JmsLease.class.getClassLoader(),
                new Class<?>[] {Session.class},
                (proxy, method, args) -> call(proxy, method, args));
  }

  private @Nullable Object call(Object proxy, Method method, @Nullable Object @Nullable [] args)
      throws Throwable {
    switch (method.getName()) {
      case "commit", "rollback", "recover", "close", "setMessageListener", "run" ->
          throw new IllegalStateException(
              "The transaction ends in all its places at once, so Session.%s is refused inside it. To roll back, throw; to commit, return."
                  .formatted(method.getName()));
      case "equals" -> {
        return args != null && proxy == args[0];
      }
      case "hashCode" -> {
        return System.identityHashCode(proxy);
      }
      default -> {
        if (ended) {
          throw new IllegalStateException(
              "The transaction that this session belonged to has ended; use it only inside the callback. Nothing was done.");
        }
      }
    }
    try {
      return method.invoke(delegate, args);
    } catch (InvocationTargetException e) {
      throw Objects.requireNonNullElse(e.getCause(), e);
    }
  }

  @Override
  public Session handle() {
    return guarded;
  }

  @Override
  public XAResource resource() {
    return session.getXAResource();
  }

  @Override
  public void end(boolean reusable) {
    ended = true;
    link.giveBack(session);
  }
}
