package dev.holdfast.crashtest;

import dev.holdfast.twophase.store.BranchStore;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** A participant at which something happens before a call arrives, or after it was carried out. */
final class Intercepted {
  private Intercepted() {}

  /** Something that happens; what it throws is what the caller gets. */
  @FunctionalInterface
  interface Act {
    void run() throws Exception;

    Act NOTHING = () -> {};
  }

  /**
   * @param calls the methods
   */
  static BranchStore at(BranchStore real, Set<String> calls, Act before, Act after) {
    return (BranchStore)
        Proxy.newProxyInstance(
            Intercepted.class.getClassLoader(),
            new Class<?>[] {BranchStore.class},
            (self, method, args) -> {
              boolean isOne = calls.contains(method.getName());
              if (isOne) {
                before.run();
              }
              @Nullable Object answer;
              try {
                answer = method.invoke(real, args);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
              if (isOne) {
                after.run();
              }
              return answer;
            });
  }
}
