package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.micrometer.HoldfastMeters;
import dev.holdfast.micrometer.WorkflowMeters;
import dev.holdfast.workflow.Workflow;
import io.micrometer.core.instrument.MeterRegistry;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;

/** The outbox's meters, in an application that has a {@code MeterRegistry}. */
@AutoConfiguration(
    before = HoldfastAutoConfiguration.class,
    afterName = {
      "org.springframework.boot.micrometer.metrics.autoconfigure.CompositeMeterRegistryAutoConfiguration",
      "org.springframework.boot.actuate.autoconfigure.metrics.CompositeMeterRegistryAutoConfiguration"
    })
@ConditionalOnClass({MeterRegistry.class, HoldfastMeters.class})
@ConditionalOnBean(MeterRegistry.class)
public class HoldfastMetersAutoConfiguration {

  /** A listener, and so found by the configuration of Holdfast. */
  @Bean
  @ConditionalOnMissingBean
  HoldfastMeters holdfastMeters(MeterRegistry registry) {
    return new HoldfastMeters(registry);
  }

  /** As above, where there are workflows. */
  @Bean
  @ConditionalOnMissingBean
  @ConditionalOnBean(Workflow.class)
  WorkflowMeters holdfastWorkflowMeters(MeterRegistry registry) {
    return new WorkflowMeters(registry);
  }

  @Bean
  SmartInitializingSingleton holdfastMetersObserving(
      HoldfastMeters meters, ObjectProvider<Holdfast> holdfast) {
    return () -> holdfast.ifAvailable(meters::observe);
  }
}
