package dev.holdfast.crashtest;

import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.function.Consumer;

/**
 * What describes a scenario in another JVM: a class, to be instantiated without arguments, which is
 * a consumer of labs, or has a method that takes one.
 */
final class ForkSource {
  private ForkSource() {}

  static String of(Class<?> type, Method method) {
    return type.getName() + "#" + method.getName();
  }

  /** Empty when another JVM could not make one like it. */
  static String of(Consumer<CrashLab> description) {
    Class<?> type = description.getClass();
    try {
      Constructor<?> constructor = type.getDeclaredConstructor();
      return type.isHidden() || constructor.getParameterCount() > 0 ? "" : type.getName();
    } catch (NoSuchMethodException e) {
      return "";
    }
  }

  static void describe(String source, CrashLab lab) {
    String[] parts = source.split("#", 2);
    try {
      Constructor<?> constructor = Class.forName(parts[0]).getDeclaredConstructor();
      constructor.setAccessible(true);
      Object instance = constructor.newInstance();
      Method method =
          parts.length == 1
              ? Consumer.class.getMethod("accept", Object.class)
              : find(instance.getClass(), parts[1]);
      method.setAccessible(true);
      method.invoke(instance, lab);
    } catch (InvocationTargetException e) {
      throw new IllegalStateException("Describing " + source + " failed", e.getCause());
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(
          "The forked JVM cannot describe "
              + source
              + "; it needs a constructor without arguments.",
          e);
    }
  }

  private static Method find(Class<?> type, String name) throws NoSuchMethodException {
    for (Class<?> each = type; each != null; each = each.getSuperclass()) {
      for (Method method : each.getDeclaredMethods()) {
        if (method.getName().equals(name)
            && method.getParameterCount() == 1
            && method.getParameterTypes()[0] == CrashLab.class) {
          return method;
        }
      }
    }
    throw new NoSuchMethodException(name + "(CrashLab)");
  }
}
