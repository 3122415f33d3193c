package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.spring.AnnotatedMethods.Found;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.beans.factory.annotation.BeanFactoryAnnotationUtils;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.beans.factory.config.EmbeddedValueResolver;
import org.springframework.transaction.TransactionManager;
import org.springframework.transaction.annotation.AnnotationTransactionAttributeSource;
import org.springframework.transaction.annotation.TransactionManagementConfigurer;
import org.springframework.transaction.interceptor.TransactionAttribute;
import org.springframework.util.StringUtils;

/**
 * Refuses listener methods that are {@code @Transactional} of another manager than the one that
 * begins the transaction of their message: that one would commit by itself, in front of it.
 */
final class ListenersTransactions {
  private final ConfigurableListableBeanFactory beans;
  private final TransactionManager ours;

  /** Where Spring looks up what {@code @Transactional} says. */
  private final AnnotationTransactionAttributeSource attributes =
      new AnnotationTransactionAttributeSource(false);

  ListenersTransactions(ConfigurableListableBeanFactory beans, TransactionManager ours) {
    this.beans = beans;
    this.ours = ours;
    attributes.setEmbeddedValueResolver(new EmbeddedValueResolver(beans));
  }

  /**
   * @throws InvalidConfiguration when one is of another manager
   */
  void check(AnnotatedMethods methods) {
    List.of(HoldfastListener.class, HoldfastJmsListener.class, HoldfastRabbitListener.class)
        .forEach(annotation -> methods.with(annotation).forEach(this::check));
  }

  private void check(Found<?> listener) {
    TransactionAttribute attribute =
        attributes.getTransactionAttribute(listener.method(), listener.type());
    if (attribute == null) {
      return;
    }
    String named = Objects.requireNonNullElse(attribute.getQualifier(), "");
    boolean isNamed = StringUtils.hasText(named);
    TransactionManager manager = isNamed ? named(named) : ofTheClass(listener.type());
    if (manager == null) {
      throw refused(
          listener,
          isNamed
              ? "is @Transactional of the manager %s, which is no bean".formatted(named)
              : "is @Transactional, and of which manager is open");
    }
    if (manager != ours) {
      throw refused(
          listener,
          "is @Transactional of %s, and what it does there would be committed apart from its message"
              .formatted(isNamed ? "the manager " + named : "another manager"));
    }
  }

  private InvalidConfiguration refused(Found<?> listener, String why) {
    return ListenerMethod.refused(
        listener.name(),
        why,
        "Take that off; the transaction is there when the method is called, and other beans may be of another manager, which does its work again when the message comes again");
  }

  /** By the qualifier or the name of the bean, as Spring takes it. */
  private @Nullable TransactionManager named(String name) {
    try {
      return BeanFactoryAnnotationUtils.qualifiedBeanOfType(beans, TransactionManager.class, name);
    } catch (NoSuchBeanDefinitionException e) {
      return null;
    }
  }

  /** The one that Spring takes where the method names none. */
  private @Nullable TransactionManager ofTheClass(Class<?> type) {
    String qualifier = BeanFactoryAnnotationUtils.getQualifierValue(type);
    TransactionManager qualified = qualifier == null ? null : named(qualifier);
    if (qualified != null) {
      return qualified;
    }
    TransactionManagementConfigurer configurer =
        beans.getBeanProvider(TransactionManagementConfigurer.class).getIfUnique();
    return configurer == null
        ? beans.getBeanProvider(TransactionManager.class).getIfUnique()
        : configurer.annotationDrivenTransactionManager();
  }
}
