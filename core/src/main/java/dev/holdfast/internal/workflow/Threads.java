package dev.holdfast.internal.workflow;

import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Threads of this package: virtual ones where there are such. */
final class Threads {
  private Threads() {}

  static Thread daemon(String name, Runnable work) {
    Thread thread = new Thread(work, name);
    thread.setDaemon(true);
    return thread;
  }

  /** One for each task. Whoever uses it bounds the tasks. */
  static ExecutorService unbounded(String name) {
    ExecutorService virtual = virtual();
    return virtual == null ? Executors.newCachedThreadPool(factory(name)) : virtual;
  }

  /** Refuses a task when so many are running. */
  static ExecutorService bounded(String name, int most) {
    return new ThreadPoolExecutor(
        0, most, 10, TimeUnit.SECONDS, new SynchronousQueue<>(), factory(name));
  }

  private static ThreadFactory factory(String name) {
    AtomicLong number = new AtomicLong();
    return task -> daemon(name + "-" + number.incrementAndGet(), task);
  }

  /** From JDK 21 on; asked for by name, since this is compiled for 17. */
  private static @Nullable ExecutorService virtual() {
    try {
      Method make = Executors.class.getMethod("newVirtualThreadPerTaskExecutor");
      return (ExecutorService) make.invoke(null);
    } catch (NoSuchMethodException | IllegalAccessException | InvocationTargetException e) {
      return null;
    }
  }
}
