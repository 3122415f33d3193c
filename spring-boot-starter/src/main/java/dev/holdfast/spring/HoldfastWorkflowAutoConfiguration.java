package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.micrometer.WorkflowMeters;
import dev.holdfast.spring.health.WorkflowState;
import dev.holdfast.workflow.Workflow;
import dev.holdfast.workflow.WorkflowQueue;
import dev.holdfast.workflow.Workflows;
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

/** Runs the beans of the type {@link Workflow}. */
@AutoConfiguration(after = HoldfastAutoConfiguration.class)
@ConditionalOnBean({Holdfast.class, TransactionalOutbox.class})
public class HoldfastWorkflowAutoConfiguration {

  /**
   * Made when it is wanted, since an application without workflows has no codec. Holdfast closes
   * it.
   */
  @Bean(destroyMethod = "")
  @Lazy
  @ConditionalOnMissingBean
  Workflows holdfastWorkflows(Holdfast holdfast) {
    return holdfast.workflows();
  }

  @Bean
  @Lazy
  @ConditionalOnMissingBean
  TransactionalWorkflows transactionalWorkflows(
      Holdfast holdfast, Workflows workflows, TransactionalOutbox outbox) {
    return new TransactionalWorkflows(holdfast, workflows, outbox);
  }

  @Bean
  WorkflowRunner holdfastWorkflowRunner(
      Holdfast holdfast,
      HoldfastProperties properties,
      HoldfastAutoConfiguration.ChosenDataSource chosen,
      ListableBeanFactory beans,
      ObjectProvider<Workflow<?, ?>> definitions,
      ObjectProvider<WorkflowQueue> queues) {
    return new WorkflowRunner(
        holdfast, properties.workflow().enabled(), chosen, beans, definitions, queues);
  }

  @Bean
  WorkflowState.Here holdfastWorkflowState(WorkflowRunner runner) {
    return runner::state;
  }

  /** Where there are workflows, and a {@code MeterRegistry}. */
  @Configuration(proxyBeanMethods = false)
  @ConditionalOnClass({MeterRegistry.class, WorkflowMeters.class})
  @ConditionalOnBean({MeterRegistry.class, Workflow.class})
  static class Metered {
    @Bean
    SmartInitializingSingleton holdfastWorkflowMetersObserving(
        ObjectProvider<WorkflowMeters> meters, Holdfast holdfast) {
      return () -> meters.ifAvailable(each -> each.observe(holdfast));
    }
  }
}
