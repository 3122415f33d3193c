package dev.holdfast.spring;

import dev.holdfast.Codec;
import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.outbox.OutboxListener;
import dev.holdfast.twophase.Participant;
import dev.holdfast.workflow.WorkflowListener;
import java.util.Map;
import javax.sql.DataSource;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.beans.factory.config.ConfigurableListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.context.properties.EnableConfigurationProperties;
import org.springframework.boot.sql.init.dependency.DependsOnDatabaseInitialization;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.jdbc.datasource.DataSourceUtils;
import org.springframework.kafka.core.ProducerFactory;
import org.springframework.transaction.TransactionManager;

/**
 * Starts Holdfast behind Flyway, Liquibase and {@code schema.sql}, and ends it before the {@code
 * DataSource}: as a bean that depends on both. What web requests and listeners under way still
 * commit is recorded until then, since these end in an earlier phase of the shutdown.
 */
@AutoConfiguration(
    afterName = {
      "org.springframework.boot.jdbc.autoconfigure.DataSourceAutoConfiguration",
      "org.springframework.boot.autoconfigure.jdbc.DataSourceAutoConfiguration",
      "org.springframework.boot.kafka.autoconfigure.KafkaAutoConfiguration",
      "org.springframework.boot.autoconfigure.kafka.KafkaAutoConfiguration"
    })
@ConditionalOnClass(DataSourceUtils.class)
@ConditionalOnProperty(name = "holdfast.enabled", havingValue = "true", matchIfMissing = true)
@EnableConfigurationProperties(HoldfastProperties.class)
public class HoldfastAutoConfiguration {

  /** The choice among several, made once. */
  record ChosenDataSource(DataSource dataSource) {}

  @Bean
  ChosenDataSource holdfastDataSource(
      ListableBeanFactory beans,
      @HoldfastDataSource ObjectProvider<DataSource> marked,
      ObjectProvider<DataSource> all) {
    return new ChosenDataSource(DataSources.choose(beans, marked, all));
  }

  @Bean
  @ConditionalOnMissingBean
  @DependsOnDatabaseInitialization
  Holdfast holdfast(
      ChosenDataSource chosen,
      HoldfastProperties properties,
      ConfigurableListableBeanFactory beans,
      KafkaSettings kafka,
      ObjectProvider<OutboxListener> listeners,
      ObjectProvider<Participant> participants,
      ObjectProvider<WorkflowListener> workflowListeners,
      ObjectProvider<Codec> codecs,
      ObjectProvider<HoldfastCustomizer> customizers) {
    Holdfast.Builder builder =
        Holdfast.on(DataSources.withoutTransactions(chosen.dataSource()))
            .schema(properties.schema())
            .relay(properties.relay().settings())
            .twoPhase(properties.twoPhase().settings())
            .workflows(properties.workflow().settings());
    if (!properties.migrate()) {
      builder.schemaManagedElsewhere();
    }
    if (properties.retention() != null) {
      builder.retention(properties.retention());
    }
    if (properties.dedupeWindow() != null) {
      builder.dedupeWindow(properties.dedupeWindow());
    }
    if (properties.maxPayload() != null) {
      builder.maxPayloadBytes(Math.toIntExact(properties.maxPayload().toBytes()));
    }
    if (properties.relay().enabled()) {
      Channels channels = new Channels(beans, kafka);
      properties
          .channels()
          .forEach(
              (name, channel) ->
                  builder.channel(
                      name,
                      channels.target(name, channel),
                      channel.topics().toArray(String[]::new)));
    }
    if (properties.needsUpkeep(() -> ConsumerPlans.rememberIds(beans))) {
      builder.withUpkeep();
    }
    listeners.orderedStream().forEach(builder::listener);
    participants.orderedStream().forEach(builder::participant);
    workflowListeners.orderedStream().forEach(builder::workflowListener);
    codecs.ifUnique(builder::codec);
    customizers.orderedStream().forEach(customizer -> customizer.customize(builder));
    return builder.start();
  }

  @Bean
  @ConditionalOnMissingBean
  TransactionalOutbox transactionalOutbox(Holdfast holdfast, ChosenDataSource chosen) {
    return new TransactionalOutbox(holdfast, chosen.dataSource());
  }

  /** Last: an entity listener that publishes needs the outbox before its manager exists. */
  @Bean
  SmartInitializingSingleton holdfastTransactionWatch(
      TransactionalOutbox outbox,
      ChosenDataSource chosen,
      ObjectProvider<TransactionManager> managers) {
    return () -> TransactionWatch.watch(managers.stream(), chosen.dataSource(), outbox);
  }

  @Bean
  TopicCheck holdfastTopicCheck(HoldfastProperties properties, KafkaSettings kafka) {
    return new TopicCheck(properties, kafka);
  }

  /** With spring-kafka: what its producers are made of. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass(ProducerFactory.class)
  static class WithSpringKafka {
    @Bean
    @ConditionalOnMissingBean
    KafkaSettings holdfastKafkaSettings(ObjectProvider<ProducerFactory<?, ?>> factories) {
      return () -> {
        ProducerFactory<?, ?> factory = factories.getIfUnique();
        if (factory == null && factories.stream().findAny().isPresent()) {
          throw new InvalidConfiguration(
              "There are several ProducerFactories and none is primary, so it is open whose address"
                  + " and credentials Holdfast is to use. Nothing was started. Mark one with"
                  + " @Primary.");
        }
        return factory == null ? Map.of() : factory.getConfigurationProperties();
      };
    }
  }

  /** Without it a channel's own properties say everything. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnMissingClass("org.springframework.kafka.core.ProducerFactory")
  static class WithoutSpringKafka {
    @Bean
    @ConditionalOnMissingBean
    KafkaSettings holdfastKafkaSettings() {
      return Map::of;
    }
  }
}
