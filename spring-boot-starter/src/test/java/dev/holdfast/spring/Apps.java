package dev.holdfast.spring;

import java.util.LinkedHashMap;
import java.util.Map;
import org.springframework.boot.WebApplicationType;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.builder.SpringApplicationBuilder;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Configuration;

/** Starts applications as an application does, in either version of Spring Boot. */
final class Apps {
  static final String WITHOUT_JPA =
      "org.springframework.boot.hibernate.autoconfigure.HibernateJpaAutoConfiguration,"
          + "org.springframework.boot.autoconfigure.orm.jpa.HibernateJpaAutoConfiguration";

  /** Only what is tried with Modulith has it, and so its registry of events. */
  static final String WITHOUT_MODULITH =
      "org.springframework.modulith.events.config.EventPublicationAutoConfiguration,"
          + "org.springframework.modulith.events.config.EventExternalizationAutoConfiguration,"
          + "org.springframework.modulith.events.jdbc.JdbcEventPublicationAutoConfiguration";

  /** Boot 3.5 would start a broker of its own in each application, since Artemis is there. */
  static final String WITHOUT_ARTEMIS =
      "org.springframework.boot.autoconfigure.jms.artemis.ArtemisAutoConfiguration,"
          + "org.springframework.boot.artemis.autoconfigure.ArtemisAutoConfiguration";

  private Apps() {}

  /** An application with nothing of its own. */
  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Plain {}

  /** JDBC, one channel to {@link Nowhere}, and neither Flyway nor Liquibase. */
  static ConfigurableApplicationContext start(
      Class<?> application, String schema, String topics, String... more) {
    return start(WebApplicationType.NONE, application, schema, topics, more);
  }

  static ConfigurableApplicationContext start(
      WebApplicationType web, Class<?> application, String schema, String topics, String... more) {
    Map<String, String> properties = new LinkedHashMap<>();
    properties.put("spring.datasource.url", TestServers.POSTGRES.jdbcUrl());
    properties.put("spring.datasource.hikari.maximum-pool-size", "8");
    // Otherwise each application opens eight connections, most of them for nothing.
    properties.put("spring.datasource.hikari.minimum-idle", "0");
    properties.put("spring.main.banner-mode", "off");
    properties.put("spring.flyway.enabled", "false");
    properties.put("spring.liquibase.enabled", "false");
    properties.put("spring.autoconfigure.exclude", WITHOUT_JPA + "," + WITHOUT_MODULITH);
    properties.put("holdfast.schema", schema);
    properties.put("holdfast.channels.orders.topics", topics);
    properties.put("holdfast.channels.orders.target", "nowhere");
    for (String property : more) {
      int equals = property.indexOf('=');
      properties.put(property.substring(0, equals), property.substring(equals + 1));
    }
    properties.merge(
        "spring.autoconfigure.exclude", WITHOUT_ARTEMIS, (some, artemis) -> some + "," + artemis);
    return new SpringApplicationBuilder(application, Nowhere.AsBean.class)
        .web(web)
        .registerShutdownHook(false)
        .run(
            properties.entrySet().stream()
                .map(property -> "--" + property.getKey() + "=" + property.getValue())
                .toArray(String[]::new));
  }
}
