package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import java.lang.annotation.Annotation;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.aop.scope.ScopedProxyUtils;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.AnnotationUtils;

/** Finds the methods of beans that have an annotation, and refuses those of no singleton. */
final class AnnotatedMethods {
  private final ConfigurableListableBeanFactory beans;

  AnnotatedMethods(ConfigurableListableBeanFactory beans) {
    this.beans = beans;
  }

  /**
   * A method with its annotation.
   *
   * @param type of the bean itself, which a proxy may stand for
   */
  record Found<A extends Annotation>(String beanName, Class<?> type, Method method, A annotation) {
    /** For people. */
    String name() {
      return type.getName() + "." + method.getName();
    }
  }

  /**
   * All of them. Makes no beans.
   *
   * @throws InvalidConfiguration when a bean is no singleton
   */
  <A extends Annotation> List<Found<A>> with(Class<A> annotation) {
    List<Found<A>> all = new ArrayList<>();
    for (String name : beans.getBeanNamesForType(Object.class)) {
      Class<?> type = ScopedProxyUtils.isScopedTarget(name) ? null : targetClass(name);
      if (type != null && AnnotationUtils.isCandidateClass(type, annotation)) {
        all.addAll(of(name, type, annotation));
      }
    }
    return all;
  }

  /**
   * Whether there is one of these, as far as it can be seen before the beans are made: not in what
   * a factory makes whose type nobody knows yet.
   */
  boolean isAnyWith(List<Class<? extends Annotation>> annotations) {
    for (String name : beans.getBeanNamesForType(Object.class, true, false)) {
      Class<?> type = beans.getType(name, false);
      if (type != null
          && annotations.stream().anyMatch(annotation -> !methods(type, annotation).isEmpty())) {
        return true;
      }
    }
    return false;
  }

  private <A extends Annotation> List<Found<A>> of(
      String beanName, Class<?> type, Class<A> annotation) {
    Map<Method, A> methods = methods(type, annotation);
    if (!methods.isEmpty() && (!beans.isSingleton(beanName) || isScoped(beanName))) {
      throw new InvalidConfiguration(
          "The bean %s has @%s methods and is no singleton, so it is open which of its instances would handle a message. Nothing was started. Make it a singleton, and have it ask for what is of another scope."
              .formatted(beanName, annotation.getSimpleName()));
    }
    List<Found<A>> found = new ArrayList<>();
    methods.forEach((method, with) -> found.add(new Found<>(beanName, type, method, with)));
    return found;
  }

  private static <A extends Annotation> Map<Method, A> methods(Class<?> type, Class<A> annotation) {
    if (!AnnotationUtils.isCandidateClass(type, annotation)) {
      return Map.of();
    }
    return MethodIntrospector.selectMethods(
        type,
        (MethodIntrospector.MetadataLookup<A>)
            method -> AnnotatedElementUtils.findMergedAnnotation(method, annotation));
  }

  private @Nullable Class<?> targetClass(String beanName) {
    Class<?> type = AutoProxyUtils.determineTargetClass(beans, beanName);
    if (type != null && Proxy.isProxyClass(type) && beans.containsSingleton(beanName)) {
      // Made by hand, and not by one of Spring's post-processors.
      return AopProxyUtils.ultimateTargetClass(beans.getBean(beanName));
    }
    return type;
  }

  /** The proxy of a scoped bean is a singleton itself. */
  private boolean isScoped(String beanName) {
    return beans.containsBeanDefinition(ScopedProxyUtils.getTargetBeanName(beanName));
  }

  /**
   * What an annotation says, with placeholders resolved.
   *
   * @throws InvalidConfiguration when one cannot be
   */
  String resolve(Found<?> listener, String text) {
    String resolved;
    try {
      resolved = beans.resolveEmbeddedValue(text);
    } catch (IllegalArgumentException e) {
      throw new InvalidConfiguration(
          "The listener %s names %s, which cannot be resolved (%s). Nothing was started. Set the property, or give the placeholder a default."
              .formatted(listener.name(), text, e.getMessage()),
          e);
    }
    if (resolved != null && resolved.contains("#{")) {
      throw ListenerMethod.refused(
          listener.name(),
          "names %s, and expressions are not evaluated here".formatted(resolved),
          "Name it, or take a placeholder of a property");
    }
    return resolved == null ? "" : resolved.strip();
  }

  /**
   * As {@link #resolve}.
   *
   * @throws InvalidConfiguration when nothing is left
   */
  String consumer(Found<?> listener, String text) {
    String consumer = resolve(listener, text);
    if (consumer.isEmpty()) {
      throw ListenerMethod.refused(listener.name(), "names no consumer", "Set consumer = \"…\"");
    }
    return consumer;
  }

  <M> ListenerMethod<M> method(
      Found<?> listener, MessageKind<M> messages, @Nullable PayloadReader reader) {
    return ListenerMethod.of(
        beans.getBean(listener.beanName()), listener.type(), listener.method(), messages, reader);
  }
}
