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
import java.util.Map;
import java.util.Objects;
import org.springframework.beans.factory.ListableBeanFactory;

/**
 * Makes targets of the modules that need not be there. Each method is called only where its module
 * is; nothing that may hold a credential gets into a message.
 */
final class OtherTargets {
  private OtherTargets() {}

  static Target webhook(String name, ChannelProperties channel) {
    WebhookProperties own = channel.webhook();
    if (own == null || own.url().isBlank()) {
      throw withoutAddress(name);
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
    jakarta.jms.ConnectionFactory factory =
        BrokerFactories.of(beans, "channel", name, "jms")
            .jms("delivers by JMS", own.connectionFactory());
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
        RabbitMq.to(
                BrokerFactories.of(beans, "channel", name, "rabbitmq")
                    .rabbitMq("has the target rabbitmq", own.connectionFactory(), own.uri()),
                own.exchange())
            .confirmTimeout(own.confirmTimeout());
    String routingKey = own.routingKey();
    if (routingKey != null) {
      RabbitMqRoute route = new RabbitMqRoute(own.exchange(), routingKey);
      target = target.routes(topic -> route);
    }
    return channel.source() == null ? target : target.source(channel.source());
  }

  private static InvalidConfiguration withoutAddress(String name) {
    return new InvalidConfiguration(
        "Channel %s has the target webhook, and its address is not known. Nothing was started. Set holdfast.channels.%s.webhook.url."
            .formatted(name, name));
  }
}
