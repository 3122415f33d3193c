package dev.holdfast.spring;

import java.io.IOException;
import java.security.KeyStore;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.security.auth.SslEngineFactory;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * Brings the application's {@code SslEngineFactory} to all clients of a relay. Kafka makes it, and
 * applications have no use of it.
 *
 * <p>That of Spring Boot finds its SSL bundle in the producer's settings under a name of its own. A
 * relay has other clients as well, which get those of the producer's settings that say how to reach
 * the cluster, known by the prefix {@code ssl.} among others. So what a factory may want besides
 * travels under such a name. Used by one client.
 */
public final class SharedSslEngineFactory implements SslEngineFactory {
  private static final String DELEGATE = "ssl.holdfast.engine.factory";
  private static final String BESIDES = "ssl.holdfast.engine.settings";

  private @Nullable SslEngineFactory delegate;

  /** Called by Kafka. */
  public SharedSslEngineFactory() {}

  /** Puts this between Kafka and a factory that the settings name, if they name one. */
  static void wrapIn(Map<String, Object> settings) {
    Object factory = settings.get(SslConfigs.SSL_ENGINE_FACTORY_CLASS_CONFIG);
    if (factory == null) {
      return;
    }
    Map<String, Object> besides = new HashMap<>(settings);
    besides.keySet().removeAll(ProducerConfig.configNames());
    settings.put(DELEGATE, factory);
    settings.put(BESIDES, Map.copyOf(besides));
    settings.put(SslConfigs.SSL_ENGINE_FACTORY_CLASS_CONFIG, SharedSslEngineFactory.class);
  }

  @Override
  public void configure(Map<String, ?> settings) {
    Map<String, Object> merged = merged(settings);
    try {
      delegate =
          merged.get(DELEGATE) instanceof Class<?> type
              ? Utils.newInstance(type.asSubclass(SslEngineFactory.class))
              : Utils.newInstance(String.valueOf(merged.get(DELEGATE)), SslEngineFactory.class);
    } catch (ClassNotFoundException e) {
      throw new IllegalArgumentException(
          "There is no class " + merged.get(DELEGATE) + ", which ssl.engine.factory.class names.",
          e);
    }
    delegate.configure(merged);
  }

  private static Map<String, Object> merged(Map<String, ?> settings) {
    Map<String, Object> merged = new HashMap<>(settings);
    if (settings.get(BESIDES) instanceof Map<?, ?> besides) {
      besides.forEach((name, value) -> merged.put(String.valueOf(name), value));
    }
    return merged;
  }

  private SslEngineFactory delegate() {
    if (delegate == null) {
      throw new IllegalStateException("Kafka has not configured this yet.");
    }
    return delegate;
  }

  @Override
  public SSLEngine createClientSslEngine(String host, int port, String endpointIdentification) {
    return delegate().createClientSslEngine(host, port, endpointIdentification);
  }

  @Override
  public SSLEngine createServerSslEngine(String host, int port) {
    return delegate().createServerSslEngine(host, port);
  }

  @Override
  public boolean shouldBeRebuilt(Map<String, Object> nextSettings) {
    return delegate().shouldBeRebuilt(merged(nextSettings));
  }

  @Override
  public Set<String> reconfigurableConfigs() {
    return delegate().reconfigurableConfigs();
  }

  @Override
  public @Nullable KeyStore keystore() {
    return delegate().keystore();
  }

  @Override
  public @Nullable KeyStore truststore() {
    return delegate().truststore();
  }

  @Override
  public void close() throws IOException {
    if (delegate != null) {
      delegate.close();
    }
  }
}
