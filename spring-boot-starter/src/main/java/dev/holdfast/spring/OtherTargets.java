package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.http.Webhook;
import dev.holdfast.jms.Jms;
import dev.holdfast.jms.JmsDestination;
import dev.holdfast.jms.JmsTarget;
import dev.holdfast.outbox.Target;
import dev.holdfast.rabbitmq.RabbitMq;
import dev.holdfast.rabbitmq.RabbitMqRoute;
import dev.holdfast.rabbitmq.RabbitMqTarget;
import dev.holdfast.spring.HoldfastProperties.ChannelProperties;
import dev.holdfast.spring.HoldfastProperties.JmsProperties;
import dev.holdfast.spring.HoldfastProperties.RabbitMqProperties;
import dev.holdfast.spring.HoldfastProperties.WebhookProperties;
import java.net.URI;
import java.net.URISyntaxException;
import java.security.GeneralSecurityException;
import java.util.Arrays;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;

/**
 * Makes targets of the modules that need not be there. Each method is called only where its module
 * is; nothing that may hold a credential gets into a message.
 */
final class OtherTargets {
  private OtherTargets() {}

  static Target webhook(String name, ChannelProperties channel) {
    WebhookProperties own = channel.webhook();
    if (own == null || own.url().isBlank()) {
      throw missing(name, "webhook.url", "webhook");
    }
    Webhook webhook =
        Webhook.to(uri(name, own.url()))
            .lanes(own.lanes())
            .timeout(own.timeout())
            .retryFor(own.retryFor())
            .batchFor(own.batchFor());
    if (!own.secrets().isEmpty()) {
      webhook = webhook.secrets(own.secrets().toArray(String[]::new));
    }
    for (Map.Entry<String, String> header : own.headers().entrySet()) {
      webhook = webhook.header(header.getKey(), header.getValue());
    }
    if (own.receiverKeepsKeysFor() != null) {
      webhook = webhook.receiverKeepsKeysFor(own.receiverKeepsKeysFor());
    }
    return channel.source() == null ? webhook : webhook.source(channel.source());
  }

  private static URI uri(String name, String url) {
    try {
      return new URI(url);
    } catch (URISyntaxException e) {
      // Neither the address nor a cause that prints it: its path may be a secret.
      throw new InvalidConfiguration(
          "holdfast.channels.%s.webhook.url is no URL (%s at index %d). Nothing was started."
              .formatted(name, e.getReason(), e.getIndex()));
    }
  }

  static Target jms(String name, ChannelProperties channel, ListableBeanFactory beans) {
    JmsProperties own = Objects.requireNonNullElse(channel.jms(), JmsProperties.DEFAULT);
    String factoryName = own.connectionFactory();
    jakarta.jms.ConnectionFactory factory =
        bean(beans, jakarta.jms.ConnectionFactory.class, name, "jms", factoryName);
    if (factory == null) {
      throw new InvalidConfiguration(
          "Channel %s delivers by JMS, and there is no jakarta.jms.ConnectionFactory. Nothing was started. Add a starter that brings one (spring-boot-starter-artemis), or declare the bean."
              .formatted(name));
    }
    String destination = own.destination();
    JmsTarget target =
        Jms.to(factory)
            .named(name)
            .destinations(
                topic -> {
                  String to = destination == null ? topic : destination;
                  return own.pubSub() ? JmsDestination.topic(to) : JmsDestination.queue(to);
                });
    if (own.messageGroups() != null) {
      target = target.messageGroups(own.messageGroups());
    }
    if (own.maxSize() != null) {
      target = target.maxBytes(Math.toIntExact(own.maxSize().toBytes()));
    }
    if (own.artemisDeduplication() != null) {
      target = target.artemisDeduplication(own.artemisDeduplication());
    }
    return channel.source() == null ? target : target.source(channel.source());
  }

  static Target rabbitmq(String name, ChannelProperties channel, ListableBeanFactory beans) {
    RabbitMqProperties own =
        Objects.requireNonNullElse(channel.rabbitmq(), RabbitMqProperties.DEFAULT);
    RabbitMqTarget target =
        RabbitMq.to(rabbitFactory(name, own, beans), own.exchange())
            .confirmTimeout(own.confirmTimeout());
    String routingKey = own.routingKey();
    if (routingKey != null) {
      RabbitMqRoute route = new RabbitMqRoute(own.exchange(), routingKey);
      target = target.routes(topic -> route);
    }
    return channel.source() == null ? target : target.source(channel.source());
  }

  private static com.rabbitmq.client.ConnectionFactory rabbitFactory(
      String name, RabbitMqProperties own, ListableBeanFactory beans) {
    String uri = own.uri();
    if (uri != null) {
      if (own.connectionFactory() != null) {
        throw new InvalidConfiguration(
            "holdfast.channels.%s.rabbitmq has both uri and connection-factory. Nothing was started. Take one of them away."
                .formatted(name));
      }
      com.rabbitmq.client.ConnectionFactory made = new com.rabbitmq.client.ConnectionFactory();
      try {
        made.setUri(uri);
      } catch (URISyntaxException | GeneralSecurityException | IllegalArgumentException e) {
        // Without the cause, which prints the address, and so a password.
        throw new InvalidConfiguration(
            "holdfast.channels.%s.rabbitmq.uri cannot be used (%s). Nothing was started. Set amqp://user:password@host:port/vhost, or amqps."
                .formatted(name, e.getClass().getSimpleName()));
      }
      return made;
    }
    com.rabbitmq.client.ConnectionFactory found =
        bean(
            beans,
            com.rabbitmq.client.ConnectionFactory.class,
            name,
            "rabbitmq",
            own.connectionFactory());
    if (found == null) {
      throw missing(name, "rabbitmq.uri", "rabbitmq");
    }
    return found;
  }

  private static InvalidConfiguration missing(String name, String property, String target) {
    return new InvalidConfiguration(
        "Channel %s has the target %s, and its address is not known. Nothing was started. Set holdfast.channels.%s.%s."
            .formatted(name, target, name, property));
  }

  private static <T> @Nullable T bean(
      ListableBeanFactory beans,
      Class<T> type,
      String channel,
      String group,
      @Nullable String name) {
    if (name != null) {
      try {
        return beans.getBean(name, type);
      } catch (NoSuchBeanDefinitionException e) {
        throw new InvalidConfiguration(
            "holdfast.channels.%s.%s.connection-factory is %s, which is no bean of type %s; of these there are %s. Nothing was started."
                .formatted(
                    channel,
                    group,
                    name,
                    type.getName(),
                    Arrays.asList(beans.getBeanNamesForType(type))),
            e);
      }
    }
    T found = beans.getBeanProvider(type).getIfUnique();
    if (found == null && beans.getBeanNamesForType(type).length > 0) {
      throw new InvalidConfiguration(
          "Channel %s has several beans of type %s to choose from, %s, and none is primary. Nothing was started. Name one in holdfast.channels.%s.%s.connection-factory."
              .formatted(
                  channel,
                  type.getName(),
                  Arrays.asList(beans.getBeanNamesForType(type)),
                  channel,
                  group));
    }
    return found;
  }
}
