package dev.holdfast.crashtest.resource;

import jakarta.jms.Message;
import jakarta.jms.MessageListener;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** One object of a JMS provider, wrapped together with what it returns. */
final class JmsObject implements InvocationHandler {

  /** What commits together: a session's or a context's transaction, if it has any. */
  static final class Unit {
    private boolean transacted;
    private boolean acknowledging;
    private final List<Change> pending = new ArrayList<>();

    private static Unit of(@Nullable Object @Nullable [] args) {
      Unit unit = new Unit();
      if (args != null) {
        for (Object arg : args) {
          // createSession(boolean, int), createSession(int), createContext(…, int)
          unit.transacted |=
              Boolean.TRUE.equals(arg)
                  || Integer.valueOf(jakarta.jms.Session.SESSION_TRANSACTED).equals(arg);
          unit.acknowledging |= Integer.valueOf(jakarta.jms.Session.CLIENT_ACKNOWLEDGE).equals(arg);
        }
      }
      unit.acknowledging &= !unit.transacted;
      return unit;
    }
  }

  private final JmsResource resource;
  private final Object real;
  private final Unit unit;

  JmsObject(JmsResource resource, Object real, Unit unit) {
    this.resource = resource;
    this.real = real;
    this.unit = unit;
  }

  @Override
  public @Nullable Object invoke(Object proxy, Method method, @Nullable Object @Nullable [] args)
      throws Exception {
    Object identity = Reflect.identity(proxy, resource.name() + ": " + real, method, args);
    if (identity != null) {
      return identity;
    }
    if (method.getName().equals("close")) {
      return resource.hook().isCrashed() ? null : call(method, args);
    }
    resource.hook().check();
    @Nullable Object @Nullable [] unwrapped = unwrap(args);
    try {
      return wrap(proxy, method, args, use(method, unwrapped));
    } finally {
      // What fails because the process was crashed meanwhile is no answer to anybody.
      resource.hook().check();
    }
  }

  private @Nullable Object use(Method method, @Nullable Object @Nullable [] args) throws Exception {
    Site site = Site.current();
    return switch (method.getName()) {
      case "commit" -> {
        List<Change> changes = List.copyOf(unit.pending);
        unit.pending.clear();
        yield changes.isEmpty() ? call(method, args) : commit("commit", changes, method, args);
      }
      case "rollback", "recover" -> {
        unit.pending.clear();
        yield call(method, args);
      }
      case "send", "publish" -> {
        String to = JmsResource.describe(JmsResource.destination(real, args));
        Change change = new Change(to, site);
        if (unit.transacted) {
          unit.pending.add(change);
          yield call(method, args);
        }
        yield commit("send", List.of(change), method, args);
      }
      case "acknowledge" ->
          commit("acknowledge", List.of(new Change("received messages", site)), method, args);
      case "receive", "receiveNoWait", "receiveBody", "receiveBodyNoWait" -> {
        Object received = call(method, args);
        if (received != null && unit.transacted) {
          unit.pending.add(new Change("received messages", site));
        }
        yield received;
      }
      default -> call(method, args);
    };
  }

  private @Nullable Object commit(
      String action, List<Change> changes, Method method, @Nullable Object @Nullable [] args)
      throws Exception {
    Set<String> distinct = new LinkedHashSet<>();
    changes.forEach(change -> distinct.add(change.what()));
    Wire.Request<Optional<Object>, Exception> request =
        () -> Optional.ofNullable(call(method, args));
    return resource
        .hook()
        .commit(
            new Commit(resource.name(), action, String.join(", ", distinct), changes),
            new OverWire<>(resource.wire(), request))
        .orElse(null);
  }

  private @Nullable Object wrap(
      Object proxy, Method method, @Nullable Object @Nullable [] args, @Nullable Object result) {
    if (result == null) {
      return null;
    }
    if (result == real) {
      return proxy;
    }
    if (JmsResource.WRAPPED.contains(method.getReturnType())) {
      resource.opened(result);
      String name = method.getName();
      boolean begins =
          name.equals("createSession")
              || name.equals("createQueueSession")
              || name.equals("createTopicSession")
              || name.equals("createContext");
      return Reflect.proxy(
          method.getReturnType(), new JmsObject(resource, result, begins ? Unit.of(args) : unit));
    }
    return result instanceof Message message ? received(message) : result;
  }

  /** A message that is acknowledged by itself must be seen to be. */
  private Message received(Message message) {
    if (!unit.acknowledging) {
      return message;
    }
    return (Message)
        Proxy.newProxyInstance(
            JmsObject.class.getClassLoader(),
            jmsInterfaces(message.getClass()),
            new JmsObject(resource, message, unit));
  }

  private static Class<?>[] jmsInterfaces(Class<?> type) {
    Set<Class<?>> found = new LinkedHashSet<>();
    for (Class<?> each = type; each != null; each = each.getSuperclass()) {
      for (Class<?> candidate : each.getInterfaces()) {
        if (candidate.getName().startsWith("jakarta.jms.")) {
          found.add(candidate);
        }
      }
    }
    return found.toArray(new Class<?>[0]);
  }

  private @Nullable Object @Nullable [] unwrap(@Nullable Object @Nullable [] args) {
    if (args == null) {
      return null;
    }
    @Nullable Object[] unwrapped = args.clone();
    for (int i = 0; i < unwrapped.length; i++) {
      Object arg = unwrapped[i];
      if (arg instanceof MessageListener listener) {
        unwrapped[i] = resource.listener(listener, this::received);
      } else if (arg != null
          && Proxy.isProxyClass(arg.getClass())
          && Proxy.getInvocationHandler(arg) instanceof JmsObject wrapped) {
        unwrapped[i] = wrapped.real;
      }
    }
    return unwrapped;
  }

  private @Nullable Object call(Method method, @Nullable Object @Nullable [] args)
      throws Exception {
    return Reflect.call(Exception.class, real, method, args);
  }
}
