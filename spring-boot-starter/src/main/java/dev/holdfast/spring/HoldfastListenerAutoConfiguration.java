package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.inbox.ConsumerProgress;
import dev.holdfast.micrometer.ConsumerMeters;
import dev.holdfast.spring.health.ConsumerState;
import dev.holdfast.spring.health.ListenerState;
import io.micrometer.core.instrument.MeterRegistry;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnSingleCandidate;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.core.annotation.Order;
import org.springframework.kafka.core.ConsumerFactory;
import tools.jackson.databind.json.JsonMapper;

/**
 * Runs the methods with {@link HoldfastListener}, {@link HoldfastJmsListener} and {@link
 * HoldfastRabbitListener}.
 */
@AutoConfiguration(
    after = HoldfastAutoConfiguration.class,
    afterName = {
      "org.springframework.boot.jackson.autoconfigure.JacksonAutoConfiguration",
      "org.springframework.boot.jackson2.autoconfigure.Jackson2AutoConfiguration",
      "org.springframework.boot.autoconfigure.jackson.JacksonAutoConfiguration"
    })
@ConditionalOnBean({Holdfast.class, TransactionalOutbox.class})
public class HoldfastListenerAutoConfiguration {

  @Bean
  Consumers holdfastConsumers(
      ConfigurableListableBeanFactory beans,
      Holdfast holdfast,
      TransactionalOutbox outbox,
      HoldfastProperties properties,
      KafkaConsumerSettings kafka,
      HoldfastAutoConfiguration.ChosenDataSource chosen,
      ObjectProvider<PayloadReader> readers) {
    return new Consumers(
        new ConsumerPlans(beans, holdfast, outbox, properties, kafka, chosen, readers)::all);
  }

  @Bean
  ConsumerState.All holdfastConsumerStates(Consumers consumers) {
    return consumers::status;
  }

  @Bean
  ListenerState.All holdfastListenerStates(Consumers consumers) {
    return consumers::listeners;
  }

  /** JSON by Jackson 3, which Spring Boot 4 has. */
  @Configuration(proxyBeanMethods = false)
  @Order(1)
  @ConditionalOnClass(JsonMapper.class)
  @ConditionalOnSingleCandidate(JsonMapper.class)
  @ConditionalOnMissingBean(PayloadReader.class)
  static class WithJackson3 {
    @Bean
    PayloadReader holdfastPayloadReader(JsonMapper mapper) {
      return (payload, type, message) -> mapper.readValue(payload, mapper.constructType(type));
    }
  }

  /** JSON by Jackson 2, which Spring Boot 3.5 has. */
  @Configuration(proxyBeanMethods = false)
  @Order(2)
  @ConditionalOnClass(com.fasterxml.jackson.databind.ObjectMapper.class)
  @ConditionalOnSingleCandidate(com.fasterxml.jackson.databind.ObjectMapper.class)
  @ConditionalOnMissingBean(PayloadReader.class)
  static class WithJackson2 {
    @Bean
    PayloadReader holdfastPayloadReader(com.fasterxml.jackson.databind.ObjectMapper mapper) {
      return (payload, type, message) -> {
        try {
          return mapper.readValue(payload, mapper.constructType(type));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      };
    }
  }

  /** Where there is a {@code MeterRegistry}. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass({MeterRegistry.class, ConsumerMeters.class})
  @ConditionalOnBean(MeterRegistry.class)
  static class Metered {
    @Bean
    @ConditionalOnMissingBean
    ConsumerMeters holdfastConsumerMeters(MeterRegistry registry) {
      return new ConsumerMeters(registry);
    }

    @Bean
    SmartInitializingSingleton holdfastConsumerMetersObserving(
        ConsumerMeters meters, Holdfast holdfast, Consumers consumers) {
      return () -> consumers.plans().forEach(plan -> observe(meters, holdfast, consumers, plan));
    }

    private static void observe(
        ConsumerMeters meters, Holdfast holdfast, Consumers consumers, Consumers.Plan plan) {
      String name = plan.consumer();
      if (plan instanceof KafkaConsumers.Planned) {
        meters.observe(
            holdfast, name, () -> consumers.progress(name).orElse(ConsumerProgress.NONE));
      } else {
        meters.observe(name, () -> consumers.listener(name).orElse(QueueConsumers.NONE));
      }
    }
  }

  /** With spring-kafka: what its consumers are made of. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(ConsumerFactory.class)
  static class WithSpringKafka {
    @Bean
    @ConditionalOnMissingBean
    KafkaConsumerSettings holdfastKafkaConsumerSettings(
        ObjectProvider<ConsumerFactory<?, ?>> factories) {
      return () -> {
        ConsumerFactory<?, ?> factory = factories.getIfUnique();
        if (factory == null && factories.stream().findAny().isPresent()) {
          throw new InvalidConfiguration(
              "There are several ConsumerFactories and none is primary, so it is open whose address"
                  + " and credentials Holdfast is to use. Nothing was started. Mark one with"
                  + " @Primary.");
        }
        return factory == null ? Map.of() : factory.getConfigurationProperties();
      };
    }
  }

  /** Without it a consumer's own properties say everything. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnMissingClass("org.springframework.kafka.core.ConsumerFactory")
  static class WithoutSpringKafka {
    @Bean
    @ConditionalOnMissingBean
    KafkaConsumerSettings holdfastKafkaConsumerSettings() {
      return Map::of;
    }
  }
}
