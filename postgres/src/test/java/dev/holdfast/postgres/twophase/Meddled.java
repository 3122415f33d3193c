package dev.holdfast.postgres.twophase;

import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.Gid;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/** A participant of which somebody acts just before a call arrives, or when it has been done. */
final class Meddled {
  private Meddled() {}

  @FunctionalInterface
  interface Action {
    Action NONE = gid -> {};

    void run(@Nullable Gid gid) throws Exception;
  }

  /**
   * @param call a method without arguments, or one that has the branch as its second
   */
  static BranchStore before(BranchStore real, String call, Action action) {
    return around(real, call, action, Action.NONE);
  }

  /** As {@link #before}; what is done after it is done before the caller learns of it. */
  static BranchStore around(BranchStore real, String call, Action before, Action after) {
    return (BranchStore)
        Proxy.newProxyInstance(
            Meddled.class.getClassLoader(),
            new Class<?>[] {BranchStore.class},
            (self, method, args) -> {
              boolean isIt = method.getName().equals(call);
              Gid gid = isIt && args != null ? (Gid) args[1] : null;
              if (isIt) {
                before.run(gid);
              }
              Object answer;
              try {
                answer = method.invoke(real, args);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
              if (isIt) {
                after.run(gid);
              }
              return answer;
            });
  }
}
