package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.Transaction;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.lang.reflect.UndeclaredThrowableException;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.support.AopUtils;
import org.springframework.core.annotation.MergedAnnotations;
import org.springframework.core.annotation.MergedAnnotations.SearchStrategy;
import org.springframework.transaction.annotation.AnnotationTransactionAttributeSource;
import org.springframework.transaction.annotation.Propagation;
import org.springframework.transaction.interceptor.TransactionAttribute;
import org.springframework.util.ReflectionUtils;

/**
 * A method that handles messages: what it is checked for at the start, and its call. Thread-safe.
 *
 * @param <M> a message as the broker's client has it
 */
final class ListenerMethod<M> {
  /** Those under which a method of this name would not run in the transaction it is called in. */
  private static final Set<Propagation> ELSEWHERE =
      Set.of(Propagation.REQUIRES_NEW, Propagation.NOT_SUPPORTED, Propagation.NEVER);

  private static final String ASYNC = "org.springframework.scheduling.annotation.Async";

  private final Object bean;
  private final Method method;
  private final MessageKind<M> messages;
  private final List<ListenerArgument> arguments;
  private final String name;

  private ListenerMethod(
      Object bean,
      Method method,
      MessageKind<M> messages,
      List<ListenerArgument> arguments,
      String name) {
    this.bean = bean;
    this.method = method;
    this.messages = messages;
    this.arguments = arguments;
    this.name = name;
  }

  /**
   * @param declared of the bean's own class, which a proxy may stand for
   * @throws InvalidConfiguration when it cannot be called, or would not do its work in the
   *     transaction
   */
  static <M> ListenerMethod<M> of(
      Object bean,
      Class<?> type,
      Method declared,
      MessageKind<M> messages,
      @Nullable PayloadReader reader) {
    String name = type.getName() + "." + declared.getName();
    if (declared.getReturnType() != void.class) {
      throw refused(
          name,
          "returns %s, which nobody would take".formatted(declared.getReturnType().getSimpleName()),
          "Return nothing, and publish through TransactionalOutbox");
    }
    requireInTheTransaction(name, type, declared);
    List<ListenerArgument> arguments = new ArrayList<>();
    for (Parameter parameter : declared.getParameters()) {
      ListenerArgument argument = ListenerArgument.of(name, type, parameter, messages, reader);
      if (argument.kind() != ListenerArgument.Kind.HEADER
          && arguments.stream().anyMatch(other -> other.kind() == argument.kind())) {
        throw refused(
            name,
            "has two parameters that are the " + argument.kind().word(),
            "Take one away; what else there is, is in " + messages.typeName());
      }
      arguments.add(argument);
    }
    return new ListenerMethod<>(
        bean, callable(name, bean, declared), messages, List.copyOf(arguments), name);
  }

  private static void requireInTheTransaction(String name, Class<?> type, Method declared) {
    MergedAnnotations annotations = MergedAnnotations.from(declared, SearchStrategy.TYPE_HIERARCHY);
    MergedAnnotations ofTheClass = MergedAnnotations.from(type, SearchStrategy.TYPE_HIERARCHY);
    // Of Spring, and of others that Spring takes for its own.
    TransactionAttribute transactional =
        new AnnotationTransactionAttributeSource(false).getTransactionAttribute(declared, type);
    Optional<Propagation> propagation =
        ELSEWHERE.stream()
            .filter(
                each ->
                    transactional != null && each.value() == transactional.getPropagationBehavior())
            .findFirst();
    if (propagation.isPresent()) {
      throw refused(
          name,
          "is @Transactional with the propagation %s, so its work would not share the commit of the message"
              .formatted(propagation.get()),
          "Take that off; the transaction is there when the method is called");
    }
    if (annotations.isPresent(ASYNC) || ofTheClass.isPresent(ASYNC)) {
      throw refused(
          name,
          "is @Async, so it would run on a thread without the transaction",
          "Take @Async off, and set holdfast.consumers.NAME.concurrency for more threads");
    }
  }

  private static Method callable(String name, Object bean, Method declared) {
    if (AopUtils.isCglibProxy(bean) && Modifier.isFinal(declared.getModifiers())) {
      throw refused(
          name,
          "is final, so the proxy of its bean cannot pass a call on, and would run it on itself",
          "Take final away");
    }
    Method callable;
    try {
      callable = AopUtils.selectInvocableMethod(declared, bean.getClass());
    } catch (IllegalStateException e) {
      throw new InvalidConfiguration(
          "%s cannot be called through the proxy of its bean (%s). Nothing was started. Make it public, and declare it in an interface of the bean or let the proxy be of the class (spring.aop.proxy-target-class=true)."
              .formatted(name, bean.getClass().getName()),
          e);
    }
    ReflectionUtils.makeAccessible(callable);
    return callable;
  }

  static InvalidConfiguration refused(String name, String why, String instead) {
    return new InvalidConfiguration(
        "The listener %s %s. Nothing was started. %s.".formatted(name, why, instead));
  }

  /** What the method throws is thrown as it is, unless nobody declares it. */
  void call(Transaction tx, M message) throws SQLException {
    Object[] values =
        arguments.stream()
            .map(argument -> argument.of(tx, message, messages))
            .toArray(Object[]::new);
    try {
      method.invoke(bean, values);
    } catch (InvocationTargetException e) {
      Throwable thrown = Objects.requireNonNullElse(e.getCause(), e);
      if (thrown instanceof RuntimeException runtime) {
        throw runtime;
      }
      if (thrown instanceof Error error) {
        throw error;
      }
      if (thrown instanceof SQLException sql) {
        throw sql;
      }
      throw new UndeclaredThrowableException(thrown, thrown.toString());
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(name + " cannot be called", e);
    }
  }

  @Override
  public String toString() {
    return name;
  }
}
