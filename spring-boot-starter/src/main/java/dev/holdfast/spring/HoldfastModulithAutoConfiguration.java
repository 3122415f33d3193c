package dev.holdfast.spring;

import java.util.List;
import org.springframework.beans.factory.BeanFactory;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.beans.factory.SmartInitializingSingleton;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.context.annotation.Bean;
import org.springframework.core.env.Environment;
import org.springframework.modulith.events.EventExternalizationConfiguration;
import org.springframework.modulith.events.core.ConditionalEventListener;
import org.springframework.modulith.events.core.EventSerializer;
import org.springframework.modulith.events.support.BrokerRouting;

/**
 * Externalizes the events of Spring Modulith through the outbox, in an application that has
 * Modulith's events and does not switch their externalization off.
 */
@AutoConfiguration(
    after = HoldfastAutoConfiguration.class,
    afterName = "org.springframework.modulith.events.config.EventExternalizationAutoConfiguration")
@ConditionalOnClass({
  EventExternalizationConfiguration.class,
  BrokerRouting.class,
  EventSerializer.class
})
@ConditionalOnBean({TransactionalOutbox.class, EventExternalizationConfiguration.class})
@ConditionalOnProperty(
    name = {"holdfast.modulith.enabled", "spring.modulith.events.externalization.enabled"},
    havingValue = "true",
    matchIfMissing = true)
public class HoldfastModulithAutoConfiguration {
  /** A property of Modulith 2.1, whose type Modulith 1.4 does not have. */
  private static final String MODE = "spring.modulith.events.externalization.mode";

  @Bean
  static ExternalizedEvents holdfastExternalizedEvents(
      EventExternalizationConfiguration configuration,
      ObjectProvider<EventSerializer> serializers,
      ObjectProvider<TransactionalOutbox> outbox,
      BeanFactory beans) {
    return new ExternalizedEvents(
        new ExternalizedMessages(configuration, serializers, beans), outbox);
  }

  @Bean
  static SmartInitializingSingleton holdfastExternalizesAlone(
      ListableBeanFactory beans, Environment environment) {
    return () ->
        ExternalizedEvents.requireAlone(
            List.of(beans.getBeanNamesForType(ConditionalEventListener.class)),
            "outbox".equalsIgnoreCase(environment.getProperty(MODE)));
  }
}
