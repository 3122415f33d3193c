package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.springframework.aop.framework.AopProxyUtils;
import org.springframework.aop.framework.autoproxy.AutoProxyUtils;
import org.springframework.aop.scope.ScopedProxyUtils;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.core.MethodIntrospector;
import org.springframework.core.annotation.AnnotatedElementUtils;
import org.springframework.core.annotation.AnnotationUtils;
import org.springframework.util.StringUtils;

/** Finds the methods that handle records, and refuses those of which it is open what they mean. */
final class Listeners {
  /** Kafka's; a pattern would match nothing. */
  private static final Pattern TOPIC = Pattern.compile("[a-zA-Z0-9._-]{1,249}");

  private final ConfigurableListableBeanFactory beans;
  private final ObjectProvider<PayloadReader> readers;
  private final Map<String, Map<String, ListenerMethod>> found = new TreeMap<>();

  private Listeners(ConfigurableListableBeanFactory beans, ObjectProvider<PayloadReader> readers) {
    this.beans = beans;
    this.readers = readers;
  }

  /**
   * By consumer, then by topic.
   *
   * @throws InvalidConfiguration when one cannot be used
   */
  static Map<String, Map<String, ListenerMethod>> find(
      ConfigurableListableBeanFactory beans, ObjectProvider<PayloadReader> readers) {
    Listeners listeners = new Listeners(beans, readers);
    for (String name : beans.getBeanNamesForType(Object.class)) {
      if (!ScopedProxyUtils.isScopedTarget(name)) {
        listeners.addAllOf(name);
      }
    }
    return listeners.found;
  }

  private void addAllOf(String beanName) {
    Class<?> type = targetClass(beanName);
    if (type == null || !AnnotationUtils.isCandidateClass(type, HoldfastListener.class)) {
      return;
    }
    Map<Method, HoldfastListener> methods =
        MethodIntrospector.selectMethods(
            type,
            (MethodIntrospector.MetadataLookup<HoldfastListener>)
                method ->
                    AnnotatedElementUtils.findMergedAnnotation(method, HoldfastListener.class));
    if (methods.isEmpty()) {
      return;
    }
    if (!beans.isSingleton(beanName) || isScoped(beanName)) {
      throw new InvalidConfiguration(
          "The bean %s has @HoldfastListener methods and is no singleton, so it is open which of its instances would handle a record. Nothing was started. Make it a singleton, and have it ask for what is of another scope."
              .formatted(beanName));
    }
    methods.forEach((method, listener) -> add(beanName, type, method, listener));
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

  private void add(String beanName, Class<?> type, Method method, HoldfastListener listener) {
    String name = type.getName() + "." + method.getName();
    String consumer = resolve(name, listener.consumer());
    if (consumer.isEmpty()) {
      throw ListenerMethod.refused(name, "names no consumer", "Set consumer = \"…\"");
    }
    List<String> topics =
        Arrays.stream(listener.topics())
            .map(topic -> resolve(name, topic))
            .flatMap(some -> Arrays.stream(StringUtils.commaDelimitedListToStringArray(some)))
            .map(String::strip)
            .filter(topic -> !topic.isEmpty())
            .toList();
    if (topics.isEmpty()) {
      throw ListenerMethod.refused(name, "names no topics", "Set topics = \"…\"");
    }
    ListenerMethod handler =
        ListenerMethod.of(beans.getBean(beanName), type, method, readers.getIfUnique());
    for (String topic : topics) {
      if (!TOPIC.matcher(topic).matches()) {
        throw ListenerMethod.refused(
            name,
            "names the topic %s, which no topic can be called".formatted(topic),
            "Name topics in full; there are no patterns");
      }
      ListenerMethod other =
          found.computeIfAbsent(consumer, key -> new LinkedHashMap<>()).put(topic, handler);
      if (other != null) {
        throw new InvalidConfiguration(
            "The topic %s of the consumer %s has two listeners, %s and %s, so it is open which is to handle a record. Nothing was started. Give one of them another topic, or a consumer of its own, which then handles each record as well."
                .formatted(topic, consumer, other, handler));
      }
    }
  }

  private String resolve(String name, String text) {
    String resolved;
    try {
      resolved = beans.resolveEmbeddedValue(text);
    } catch (IllegalArgumentException e) {
      throw new InvalidConfiguration(
          "The listener %s names %s, which cannot be resolved (%s). Nothing was started. Set the property, or give the placeholder a default."
              .formatted(name, text, e.getMessage()),
          e);
    }
    return resolved == null ? "" : resolved.strip();
  }
}
