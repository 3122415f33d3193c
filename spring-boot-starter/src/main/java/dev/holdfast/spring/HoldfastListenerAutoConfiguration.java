package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.spring.health.ConsumerState;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.Map;
import org.springframework.beans.factory.ObjectProvider;
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

/** Runs the methods with {@link HoldfastListener}. */
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
    return new Consumers(beans, holdfast, outbox, properties, kafka, chosen, readers);
  }

  @Bean
  ConsumerState.All holdfastConsumerStates(Consumers consumers) {
    return consumers::status;
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
      return (message, type) -> mapper.readValue(message.value(), mapper.constructType(type));
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
      return (message, type) -> {
        try {
          return mapper.readValue(message.value(), mapper.constructType(type));
        } catch (IOException e) {
          throw new UncheckedIOException(e);
        }
      };
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
