package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.spring.health.ConsumerState;
import dev.holdfast.spring.health.FollowerStates;
import dev.holdfast.spring.health.ListenerState;
import dev.holdfast.spring.health.OutboxHealth;
import dev.holdfast.spring.health.WorkflowState;
import java.util.Optional;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.health.autoconfigure.contributor.ConditionalOnEnabledHealthIndicator;
import org.springframework.boot.health.contributor.Health;
import org.springframework.boot.health.contributor.HealthIndicator;
import org.springframework.context.annotation.Bean;

/** The health indicator {@code holdfast} of Spring Boot 4. */
@AutoConfiguration(after = HoldfastAutoConfiguration.class)
@ConditionalOnClass({HealthIndicator.class, ConditionalOnEnabledHealthIndicator.class})
@ConditionalOnBean(Holdfast.class)
@ConditionalOnEnabledHealthIndicator("holdfast")
public class HoldfastHealthAutoConfiguration {

  @Bean
  @ConditionalOnMissingBean(name = "holdfastHealthIndicator")
  HealthIndicator holdfastHealthIndicator(
      Holdfast holdfast,
      ObjectProvider<ConsumerState.All> consumers,
      ObjectProvider<ListenerState.All> listeners,
      ObjectProvider<WorkflowState.Here> workflows,
      ObjectProvider<FollowerStates> followers) {
    return () -> {
      OutboxHealth health = OutboxHealth.of(holdfast.status());
      ConsumerState.All all = consumers.getIfAvailable();
      health = all == null ? health : health.with(all.get());
      ListenerState.All queues = listeners.getIfAvailable();
      health = queues == null ? health : health.withListeners(queues.get());
      WorkflowState.Here here = workflows.getIfAvailable();
      Optional<WorkflowState> state = here == null ? Optional.empty() : here.get();
      if (state.isPresent()) {
        health = health.with(state.get());
      }
      FollowerStates states = followers.getIfAvailable();
      health = states == null ? health : health.withFollowers(states.get());
      return (health.well() ? Health.up() : Health.down()).withDetails(health.channels()).build();
    };
  }
}
