package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.beans.factory.ObjectProvider;
import org.springframework.jdbc.datasource.ConnectionHolder;
import org.springframework.jdbc.datasource.DelegatingDataSource;
import org.springframework.jdbc.datasource.TransactionAwareDataSourceProxy;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.transaction.TransactionManager;
import org.springframework.transaction.support.ResourceTransactionManager;
import org.springframework.transaction.support.TransactionSynchronizationManager;
import org.springframework.util.ClassUtils;

/** Which {@code DataSource} is Holdfast's, and which transaction managers are that one's. */
final class DataSources {
  private static final boolean JPA =
      ClassUtils.isPresent(
          "org.springframework.orm.jpa.JpaTransactionManager", DataSources.class.getClassLoader());

  private DataSources() {}

  static DataSource choose(
      ListableBeanFactory beans,
      ObjectProvider<DataSource> marked,
      ObjectProvider<DataSource> all) {
    DataSource chosen = marked.getIfUnique();
    if (chosen == null) {
      chosen = all.getIfUnique();
    }
    if (chosen != null) {
      return chosen;
    }
    List<String> names = Arrays.asList(beans.getBeanNamesForType(DataSource.class));
    if (names.isEmpty()) {
      throw new InvalidConfiguration(
          "There is no DataSource, so Holdfast has no database to record messages in. Nothing was"
              + " started. Set spring.datasource.url, or holdfast.enabled=false.");
    }
    throw new InvalidConfiguration(
        "There are several DataSources "
            + names
            + " and none is primary, so it is open whose commits messages are to share. Nothing was"
            + " started. Mark that of the tables they speak of with @HoldfastDataSource or"
            + " @Primary.");
  }

  /** A proxy that joins the caller's transaction must not be what the relay works on. */
  static DataSource withoutTransactions(DataSource dataSource) {
    DataSource current = dataSource;
    while (current instanceof TransactionAwareDataSourceProxy proxy
        && proxy.getTargetDataSource() != null) {
      current = proxy.getTargetDataSource();
    }
    return current;
  }

  /** A {@code DataSource} and what it wraps: transaction managers may hold any of these. */
  static List<DataSource> layers(DataSource dataSource) {
    List<DataSource> layers = new ArrayList<>();
    @Nullable DataSource current = dataSource;
    while (current != null) {
      layers.add(current);
      current = current instanceof DelegatingDataSource proxy ? proxy.getTargetDataSource() : null;
    }
    return layers;
  }

  /** The connection that is bound to this thread for one of these, if there is one. */
  static @Nullable ConnectionHolder boundHolder(List<DataSource> layers) {
    for (DataSource dataSource : layers) {
      if (TransactionSynchronizationManager.getResource(dataSource)
          instanceof ConnectionHolder holder) {
        return holder;
      }
    }
    return null;
  }

  /** Whether what a manager begins is a transaction of this {@code DataSource}. */
  static boolean manages(TransactionManager manager, DataSource dataSource) {
    DataSource managed = null;
    if (JPA && manager instanceof JpaTransactionManager jpa) {
      managed = jpa.getDataSource();
    } else if (manager instanceof ResourceTransactionManager resource
        && resource.getResourceFactory() instanceof DataSource factory) {
      managed = factory;
    }
    return managed != null && layers(dataSource).contains(managed);
  }
}
