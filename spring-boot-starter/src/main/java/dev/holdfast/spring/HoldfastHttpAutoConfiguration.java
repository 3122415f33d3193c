package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.InvalidConfiguration;
import dev.holdfast.http.IdempotencyKeyFilter;
import dev.holdfast.http.IdempotencySettings;
import dev.holdfast.inbox.InboxSettings;
import jakarta.servlet.Filter;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnClass;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnProperty;
import org.springframework.boot.autoconfigure.condition.ConditionalOnWebApplication;
import org.springframework.boot.web.servlet.FilterRegistrationBean;
import org.springframework.context.annotation.Bean;
import org.springframework.web.util.ContentCachingResponseWrapper;

/** Receives requests with an {@code Idempotency-Key} at the paths that are named. */
@AutoConfiguration(after = HoldfastAutoConfiguration.class)
@ConditionalOnClass({
  IdempotencyKeyFilter.class,
  Filter.class,
  ContentCachingResponseWrapper.class,
  FilterRegistrationBean.class
})
@ConditionalOnWebApplication(type = ConditionalOnWebApplication.Type.SERVLET)
@ConditionalOnBean({Holdfast.class, TransactionalOutbox.class})
@ConditionalOnProperty("holdfast.http.idempotency.paths")
public class HoldfastHttpAutoConfiguration {

  @Bean
  @ConditionalOnMissingBean(name = "holdfastIdempotency")
  FilterRegistrationBean<Filter> holdfastIdempotency(
      Holdfast holdfast,
      TransactionalOutbox outbox,
      HoldfastProperties properties,
      HoldfastAutoConfiguration.ChosenDataSource chosen,
      ListableBeanFactory beans) {
    HttpIdempotencyProperties own = properties.http().idempotency();
    for (String path : own.paths()) {
      if (!path.startsWith("/") && !path.startsWith("*.")) {
        throw new InvalidConfiguration(
            "holdfast.http.idempotency.paths names %s, which is no pattern of a servlet container. Nothing was started. Name paths such as /orders, or /orders/* for all below."
                .formatted(path));
      }
    }
    SpringTransactions transactions =
        new SpringTransactions(
            TransactionManagers.choose(beans, chosen.dataSource()),
            chosen.dataSource(),
            holdfast.store().writer());
    IdempotencyKeyFilter filter =
        IdempotencyKeyFilter.of(holdfast.transactingBy(transactions), settings(own));
    FilterRegistrationBean<Filter> registration =
        new FilterRegistrationBean<>(new IdempotentRequests(filter, outbox));
    registration.setName("holdfastIdempotency");
    registration.setUrlPatterns(own.paths());
    registration.setOrder(own.order());
    return registration;
  }

  private static IdempotencySettings settings(HttpIdempotencyProperties own) {
    IdempotencySettings settings = IdempotencySettings.of(own.consumer());
    if (!own.required()) {
      settings = settings.optional();
    }
    return settings
        .withInbox(new InboxSettings(own.retention(), own.redelivery(), own.handlerSilence()))
        .withMethods(own.methods().toArray(String[]::new))
        .withBounds(
            settings.maxKeyChars(),
            Math.toIntExact(own.maxRequest().toBytes()),
            settings.maxResponseBytes())
        .withRetryAfter(own.retryAfter());
  }
}
