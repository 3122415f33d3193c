package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.kafka.Kafka;
import dev.holdfast.kafka.KafkaTarget;
import dev.holdfast.outbox.Target;
import dev.holdfast.spring.HoldfastProperties.ChannelProperties;
import java.util.Arrays;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.NoSuchBeanDefinitionException;

/** Makes targets of what the properties say of channels. */
final class Channels {
  static final String KAFKA = "kafka";
  static final String KAFKA_PLAIN = "kafka-plain";

  private final ListableBeanFactory beans;
  private final KafkaSettings kafka;

  Channels(ListableBeanFactory beans, KafkaSettings kafka) {
    this.beans = beans;
    this.kafka = kafka;
  }

  Target target(String name, ChannelProperties channel) {
    return switch (channel.target()) {
      case KAFKA -> kafka(name, channel).progressTopic(channel.progressTopic());
      case KAFKA_PLAIN -> kafka(name, channel).plain();
      default -> bean(name, channel.target());
    };
  }

  private KafkaTarget kafka(String name, ChannelProperties channel) {
    KafkaTarget target = Kafka.to(kafka.of(name, channel.properties()));
    return channel.source() == null ? target : target.source(channel.source());
  }

  private Target bean(String channel, String bean) {
    try {
      return beans.getBean(bean, Target.class);
    } catch (NoSuchBeanDefinitionException e) {
      throw new InvalidConfiguration(
          "holdfast.channels.%s.target is %s, which is neither kafka nor kafka-plain nor a bean of type dev.holdfast.outbox.Target; of these there are %s. Nothing was started."
              .formatted(channel, bean, Arrays.asList(beans.getBeanNamesForType(Target.class))),
          e);
    }
  }
}
