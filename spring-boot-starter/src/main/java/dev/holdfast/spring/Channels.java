package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.kafka.KafkaTarget;
import dev.holdfast.outbox.Target;
import dev.holdfast.spring.HoldfastProperties.ChannelProperties;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.beans.factory.BeanNotOfRequiredTypeException;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;
import org.springframework.util.ClassUtils;

/** Makes targets of what the properties say of channels. */
final class Channels {
  static final String KAFKA = "kafka";
  static final String KAFKA_PLAIN = "kafka-plain";
  static final String WEBHOOK = "webhook";
  static final String JMS = "jms";
  static final String RABBITMQ = "rabbitmq";

  private final ListableBeanFactory beans;
  private final KafkaSettings kafka;

  Channels(ListableBeanFactory beans, KafkaSettings kafka) {
    this.beans = beans;
    this.kafka = kafka;
  }

  Target target(String name, ChannelProperties channel) {
    requireOnlyItsOwn(name, channel);
    return switch (channel.target()) {
      case KAFKA -> kafka(name, channel).progressTopic(channel.progressTopic());
      case KAFKA_PLAIN -> kafka(name, channel).plain();
      case WEBHOOK -> {
        require(name, channel, "dev.holdfast.http.Webhook", "http");
        yield OtherTargets.webhook(name, channel);
      }
      case JMS -> {
        require(name, channel, "dev.holdfast.jms.Jms", "jms");
        yield OtherTargets.jms(name, channel, beans);
      }
      case RABBITMQ -> {
        require(name, channel, "dev.holdfast.rabbitmq.RabbitMq", "rabbitmq");
        yield OtherTargets.rabbitmq(name, channel, beans);
      }
      default -> bean(name, channel.target());
    };
  }

  /** Settings of another target would be set in vain. */
  private static void requireOnlyItsOwn(String name, ChannelProperties channel) {
    boolean isKafka = channel.target().equals(KAFKA) || channel.target().equals(KAFKA_PLAIN);
    Map<String, Boolean> foreign = new LinkedHashMap<>();
    foreign.put("properties", !isKafka && !channel.properties().isEmpty());
    foreign.put("webhook", !channel.target().equals(WEBHOOK) && channel.webhook() != null);
    foreign.put("jms", !channel.target().equals(JMS) && channel.jms() != null);
    foreign.put("rabbitmq", !channel.target().equals(RABBITMQ) && channel.rabbitmq() != null);
    foreign.forEach(
        (group, set) -> {
          if (set) {
            throw new InvalidConfiguration(
                "holdfast.channels.%s.%s.* is set, and the channel's target is %s, which has no use for it. Nothing was started. Take these properties away, or set holdfast.channels.%s.target."
                    .formatted(name, group, channel.target(), name));
          }
        });
  }

  private static void require(String name, ChannelProperties channel, String type, String module) {
    if (!ClassUtils.isPresent(type, Channels.class.getClassLoader())) {
      throw new InvalidConfiguration(
          "holdfast.channels.%s.target is %s, and the module for it is not on the class path. Nothing was started. Add dev.holdfast:holdfast-%s."
              .formatted(name, channel.target(), module));
    }
  }

  private KafkaTarget kafka(String name, ChannelProperties channel) {
    KafkaTarget target = Kafka.to(kafka.of(name, channel.properties()));
    return channel.source() == null ? target : target.source(channel.source());
  }

  private Target bean(String channel, String bean) {
    try {
      return beans.getBean(bean, Target.class);
    } catch (NoSuchBeanDefinitionException | BeanNotOfRequiredTypeException e) {
      throw new InvalidConfiguration(
          "holdfast.channels.%s.target is %s, which is none of kafka, kafka-plain, webhook, jms and rabbitmq, and no bean of type dev.holdfast.outbox.Target; of these there are %s. Nothing was started."
              .formatted(channel, bean, Arrays.asList(beans.getBeanNamesForType(Target.class))),
          e);
    }
  }
}
