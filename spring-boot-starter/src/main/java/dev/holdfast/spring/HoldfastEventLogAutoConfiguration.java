package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.eventlog.EventLog;
import dev.holdfast.micrometer.ProjectionMeters;
import dev.holdfast.projection.EventChannel;
import dev.holdfast.projection.Projection;
import dev.holdfast.projection.ProjectionListener;
import dev.holdfast.projection.Projections;
import dev.holdfast.spring.health.FollowerStates;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Lazy;

/**
 * The event log, and what follows it: carries out the beans of the types {@link Projection} and
 * {@link EventChannel}.
 */
@AutoConfiguration(after = HoldfastAutoConfiguration.class)
@ConditionalOnBean({Holdfast.class, TransactionalOutbox.class})
public class HoldfastEventLogAutoConfiguration {

  @Bean
  @ConditionalOnMissingBean
  EventLog holdfastEventLog(Holdfast holdfast) {
    return holdfast.eventLog();
  }

  @Bean
  @ConditionalOnMissingBean
  TransactionalEventLog transactionalEventLog(Holdfast holdfast, TransactionalOutbox outbox) {
    return new TransactionalEventLog(holdfast, outbox);
  }

  /**
   * For awaiting and operating them, whichever process carries them out; made when it is wanted,
   * since it makes them known to the database.
   */
  @Bean
  @Lazy
  @ConditionalOnMissingBean
  Projections holdfastProjections(
      Holdfast holdfast,
      HoldfastAutoConfiguration.ChosenDataSource chosen,
      ListableBeanFactory beans,
      ObjectProvider<Projection> projections) {
    return Projections.of(
        transacting(holdfast, chosen, beans),
        projections.orderedStream().toArray(Projection[]::new));
  }

  @Bean
  EventFollowers holdfastEventFollowers(
      Holdfast holdfast,
      HoldfastProperties properties,
      HoldfastAutoConfiguration.ChosenDataSource chosen,
      ListableBeanFactory beans,
      ObjectProvider<Projection> projections,
      ObjectProvider<EventChannel> channels,
      ObjectProvider<ProjectionListener> listeners) {
    return new EventFollowers(
        holdfast,
        () -> transacting(holdfast, chosen, beans),
        properties.projections(),
        projections,
        channels,
        listeners);
  }

  @Bean
  FollowerStates holdfastFollowerStates(EventFollowers followers) {
    return followers::states;
  }

  /** What a handler does by {@code JdbcTemplate} or JPA has to be in the checkpoint's commit. */
  private static Holdfast transacting(
      Holdfast holdfast,
      HoldfastAutoConfiguration.ChosenDataSource chosen,
      ListableBeanFactory beans) {
    return holdfast.transactingBy(
        new SpringTransactions(
            TransactionManagers.choose(beans, chosen.dataSource()),
            chosen.dataSource(),
            holdfast.store().writer()));
  }

  /** Where there is a {@code MeterRegistry}. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass({MeterRegistry.class, ProjectionMeters.class})
  @ConditionalOnBean(MeterRegistry.class)
  static class Metered {
    @Bean
    @ConditionalOnMissingBean
    ProjectionMeters holdfastProjectionMeters(MeterRegistry registry) {
      return new ProjectionMeters(registry);
    }

    @Bean
    SmartInitializingSingleton holdfastProjectionMetersObserving(
        ProjectionMeters meters,
        Holdfast holdfast,
        ObjectProvider<Projection> projections,
        ObjectProvider<EventChannel> channels) {
      return () -> {
        meters.observe(holdfast, projections.orderedStream().toArray(Projection[]::new));
        meters.observe(holdfast, channels.orderedStream().toArray(EventChannel[]::new));
      };
    }
  }
}
