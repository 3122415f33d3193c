package dev.holdfast.postgres.twophase;

import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.Gid;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import org.jspecify.annotations.Nullable;

/** A participant of which somebody acts just before a call arrives. */
final class Meddled {
  private Meddled() {}

  @FunctionalInterface
  interface Before {
    void run(@Nullable Gid gid) throws Exception;
  }

  /**
   * @param call a method without arguments, or one that has the branch as its second
   */
  static BranchStore before(BranchStore real, String call, Before action) {
    return (BranchStore)
        Proxy.newProxyInstance(
            Meddled.class.getClassLoader(),
            new Class<?>[] {BranchStore.class},
            (self, method, args) -> {
              if (method.getName().equals(call)) {
                action.run(args == null ? null : (Gid) args[1]);
              }
              try {
                return method.invoke(real, args);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }
}
