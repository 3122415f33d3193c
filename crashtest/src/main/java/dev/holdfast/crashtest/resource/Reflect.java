package dev.holdfast.crashtest.resource;

import java.lang.reflect.InvocationHandler;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/** Calls through to what a proxy wraps, with the exceptions that it throws. */
final class Reflect {
  private Reflect() {}

  static <T> T proxy(Class<T> type, InvocationHandler handler) {
    return type.cast(
        Proxy.newProxyInstance(Reflect.class.getClassLoader(), new Class<?>[] {type}, handler));
  }

  static <E extends Exception> @Nullable Object call(
      Class<E> declared, Object target, Method method, @Nullable Object @Nullable [] args)
      throws E {
    try {
      return method.invoke(target, args);
    } catch (InvocationTargetException e) {
      Throwable cause = e.getCause();
      if (declared.isInstance(cause)) {
        throw declared.cast(cause);
      }
      if (cause instanceof RuntimeException unchecked) {
        throw unchecked;
      }
      if (cause instanceof Error error) {
        throw error;
      }
      throw new IllegalStateException(method + " threw what it does not declare", cause);
    } catch (IllegalAccessException e) {
      throw new IllegalStateException("Cannot call " + method, e);
    }
  }

  /** What every proxy answers itself; null when the method is another. */
  static @Nullable Object identity(
      Object proxy, String description, Method method, @Nullable Object @Nullable [] args) {
    if (method.getDeclaringClass() != Object.class) {
      return null;
    }
    return switch (method.getName()) {
      case "equals" -> args != null && proxy == args[0];
      case "hashCode" -> System.identityHashCode(proxy);
      default -> description;
    };
  }
}
