package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import java.net.URISyntaxException;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Locale;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.BeanNotOfRequiredTypeException;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.jms.connection.SingleConnectionFactory;
import org.springframework.util.ClassUtils;

/**
 * What connects to a broker of JMS or RabbitMQ, for a channel or a consumer. Each method is called
 * only where its module is; nothing that may hold a credential gets into a message.
 *
 * @param place the properties that say more, such as {@code holdfast.channels.orders.jms}
 * @param who needs it, such as {@code Channel orders}
 */
record BrokerFactories(ListableBeanFactory beans, String place, String who) {
  private static final boolean SPRING_JMS =
      ClassUtils.isPresent(
          "org.springframework.jms.connection.SingleConnectionFactory",
          BrokerFactories.class.getClassLoader());

  static BrokerFactories of(ListableBeanFactory beans, String kind, String name, String group) {
    return new BrokerFactories(
        beans,
        "holdfast.%ss.%s.%s".formatted(kind, name, group),
        kind.substring(0, 1).toUpperCase(Locale.ROOT) + kind.substring(1) + " " + name);
  }

  /**
   * @param does what it is for, such as {@code delivers by JMS}
   * @param named the bean, or {@code null} for the only one
   */
  jakarta.jms.ConnectionFactory jms(String does, @Nullable String named) {
    jakarta.jms.ConnectionFactory factory = bean(jakarta.jms.ConnectionFactory.class, named);
    if (factory == null) {
      throw new InvalidConfiguration(
          "%s %s, and there is no jakarta.jms.ConnectionFactory. Nothing was started. Add a starter that brings one (spring-boot-starter-artemis), or declare the bean."
              .formatted(who, does));
    }
    return SPRING_JMS ? Shared.unwrapped(factory) : factory;
  }

  /** Loaded only where Spring's JMS is. */
  private static final class Shared {
    private Shared() {}

    /**
     * A connection that many share, as Spring Boot has it unless told otherwise, is not closed by
     * closing it: its session would keep what it has received, and nobody would get that.
     */
    static jakarta.jms.ConnectionFactory unwrapped(jakarta.jms.ConnectionFactory factory) {
      jakarta.jms.ConnectionFactory real =
          factory instanceof SingleConnectionFactory shared
              ? shared.getTargetConnectionFactory()
              : null;
      return real == null ? factory : real;
    }
  }

  /**
   * @param does what it is for, such as {@code has the target rabbitmq}
   * @param named the bean, or {@code null} for the only one
   * @param uri the address in place of a bean
   */
  com.rabbitmq.client.ConnectionFactory rabbitMq(
      String does, @Nullable String named, @Nullable String uri) {
    if (uri != null && named != null) {
      throw new InvalidConfiguration(
          "%s has both uri and connection-factory. Nothing was started. Take one of them away."
              .formatted(place));
    }
    if (uri != null) {
      return at(uri);
    }
    com.rabbitmq.client.ConnectionFactory found =
        bean(com.rabbitmq.client.ConnectionFactory.class, named);
    if (found == null) {
      throw new InvalidConfiguration(
          "%s %s, and its address is not known. Nothing was started. Set %s.uri."
              .formatted(who, does, place));
    }
    return found;
  }

  private com.rabbitmq.client.ConnectionFactory at(String uri) {
    com.rabbitmq.client.ConnectionFactory made = new com.rabbitmq.client.ConnectionFactory();
    try {
      made.setUri(uri);
    } catch (URISyntaxException | GeneralSecurityException | IllegalArgumentException e) {
      // Without the cause, which prints the address, and so a password.
      throw new InvalidConfiguration(
          "%s.uri cannot be used (%s). Nothing was started. Set amqp://user:password@host:port/vhost, or amqps."
              .formatted(place, e.getClass().getSimpleName()));
    }
    return made;
  }

  private <T> @Nullable T bean(Class<T> type, @Nullable String named) {
    if (named != null) {
      try {
        return beans.getBean(named, type);
      } catch (NoSuchBeanDefinitionException | BeanNotOfRequiredTypeException e) {
        throw new InvalidConfiguration(
            "%s.connection-factory is %s, which is no bean of type %s; of these there are %s. Nothing was started."
                .formatted(
                    place, named, type.getName(), Arrays.asList(beans.getBeanNamesForType(type))),
            e);
      }
    }
    T found = beans.getBeanProvider(type).getIfUnique();
    if (found == null && beans.getBeanNamesForType(type).length > 0) {
      throw new InvalidConfiguration(
          "%s has several beans of type %s to choose from, %s, and none is primary. Nothing was started. Name one in %s.connection-factory."
              .formatted(
                  who, type.getName(), Arrays.asList(beans.getBeanNamesForType(type)), place));
    }
    return found;
  }
}
