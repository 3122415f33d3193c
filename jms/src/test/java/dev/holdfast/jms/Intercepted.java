package dev.holdfast.jms;

import jakarta.jms.Connection;
import jakarta.jms.ConnectionFactory;
import jakarta.jms.Session;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.List;

/** A provider before one of whose calls something happens. */
final class Intercepted {
  private static final List<Class<?>> WRAPPED =
      List.of(ConnectionFactory.class, Connection.class, Session.class);

  private Intercepted() {}

  /**
   * @param method of a session
   */
  static ConnectionFactory before(ConnectionFactory real, String method, Runnable what) {
    return wrap(ConnectionFactory.class, real, method, what);
  }

  private static <T> T wrap(Class<T> type, Object real, String method, Runnable what) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, called, args) -> {
              if (type == Session.class && called.getName().equals(method)) {
                what.run();
              }
              try {
                Object made = called.invoke(real, args);
                Class<?> returned = called.getReturnType();
                return WRAPPED.contains(returned) ? wrap(returned, made, method, what) : made;
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }
}
