package dev.holdfast.jta;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Objects;
import javax.sql.XAConnection;
import javax.sql.XADataSource;
import javax.transaction.xa.XAResource;

/** A driver that does something else around one call of its resource. */
final class Intercepted {
  private Intercepted() {}

  /** The call itself, or something instead. */
  interface Call {
    Object proceed() throws Exception;
  }

  /** Around every call of an {@link XAResource}. */
  interface Around {
    Object call(String method, Object[] arguments, Call call) throws Exception;
  }

  static XADataSource dataSource(XADataSource delegate, Around around) {
    return proxy(
        XADataSource.class,
        (method, args, call) ->
            method.equals("getXAConnection")
                ? connection((XAConnection) call.proceed(), around)
                : call.proceed(),
        delegate);
  }

  private static XAConnection connection(XAConnection delegate, Around around) {
    return proxy(
        XAConnection.class,
        (method, args, call) ->
            method.equals("getXAResource")
                ? proxy(XAResource.class, around, call.proceed())
                : call.proceed(),
        delegate);
  }

  private static <T> T proxy(Class<T> type, Around around, Object delegate) {
    return type.cast(
        Proxy.newProxyInstance(
            Intercepted.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, args) ->
                around.call(
                    method.getName(),
                    args == null ? new Object[0] : args,
                    () -> {
                      try {
                        return method.invoke(delegate, args);
                      } catch (InvocationTargetException e) {
                        Throwable cause = Objects.requireNonNull(e.getCause());
                        if (cause instanceof Exception exception) {
                          throw exception;
                        }
                        throw new IllegalStateException(cause);
                      }
                    })));
  }
}
