package dev.holdfast.spring;

import dev.holdfast.InvalidConfiguration;
import jakarta.persistence.EntityManagerFactory;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.orm.jpa.EntityManagerFactoryInfo;
import org.springframework.orm.jpa.JpaTransactionManager;
import org.springframework.transaction.PlatformTransactionManager;
import org.springframework.util.ClassUtils;

/** Which of Spring's managers begins the transactions of what Holdfast receives. */
final class TransactionManagers {
  private static final boolean JPA =
      isPresent("org.springframework.orm.jpa.JpaTransactionManager")
          && isPresent("jakarta.persistence.EntityManagerFactory");

  private static boolean isPresent(String type) {
    return ClassUtils.isPresent(type, TransactionManagers.class.getClassLoader());
  }

  private TransactionManagers() {}

  /**
   * That of the {@code DataSource}; where there are several, the one of JPA, whose transactions are
   * those of JDBC as well.
   *
   * @throws InvalidConfiguration when there is none, or when something would not take part in it
   */
  static PlatformTransactionManager choose(ListableBeanFactory beans, DataSource dataSource) {
    Map<String, PlatformTransactionManager> all =
        beans.getBeansOfType(PlatformTransactionManager.class);
    Map<String, PlatformTransactionManager> ours = new LinkedHashMap<>(all);
    ours.values().removeIf(manager -> !DataSources.manages(manager, dataSource));
    if (ours.isEmpty()) {
      throw new InvalidConfiguration(
          "None of the transaction managers %s belongs to Holdfast's DataSource, so what handles a record could not share its commit. Nothing was started. Give that DataSource a JdbcTransactionManager or a JpaTransactionManager, or mark the right DataSource with @HoldfastDataSource."
              .formatted(all.keySet()));
    }
    PlatformTransactionManager chosen = one(beans, ours);
    if (JPA) {
      Jpa.requireThatAllJoin(beans, chosen, dataSource);
    }
    return chosen;
  }

  private static PlatformTransactionManager one(
      ListableBeanFactory beans, Map<String, PlatformTransactionManager> ours) {
    List<PlatformTransactionManager> best = List.copyOf(ours.values());
    if (JPA && best.stream().anyMatch(Jpa::isJpa)) {
      best = best.stream().filter(Jpa::isJpa).toList();
    }
    if (best.size() > 1) {
      PlatformTransactionManager primary =
          beans.getBeanProvider(PlatformTransactionManager.class).getIfUnique();
      if (primary == null || !best.contains(primary)) {
        throw new InvalidConfiguration(
            "Several transaction managers %s belong to Holdfast's DataSource and none of them is primary, so it is open which is to begin the transactions of what is received. Nothing was started. Mark one with @Primary."
                .formatted(ours.keySet()));
      }
      return primary;
    }
    return best.get(0);
  }

  /** Loaded only where JPA is. */
  private static final class Jpa {
    private Jpa() {}

    static boolean isJpa(PlatformTransactionManager manager) {
      return manager instanceof JpaTransactionManager;
    }

    /** An entity manager of another factory would write in a transaction of its own, or in none. */
    static void requireThatAllJoin(
        ListableBeanFactory beans, PlatformTransactionManager chosen, DataSource dataSource) {
      @Nullable EntityManagerFactory joined =
          chosen instanceof JpaTransactionManager jpa ? jpa.getEntityManagerFactory() : null;
      beans
          .getBeansOfType(EntityManagerFactory.class)
          .forEach(
              (name, factory) -> {
                if (factory != joined && isOn(factory, dataSource)) {
                  throw new InvalidConfiguration(
                      "The entity managers of %s work on Holdfast's DataSource, and would not take part in the transactions that %s begins for what is received: what they persist there would be committed apart, or not at all. Nothing was started. Declare a JpaTransactionManager for %s."
                          .formatted(name, chosen.getClass().getName(), name));
                }
              });
    }

    private static boolean isOn(EntityManagerFactory factory, DataSource dataSource) {
      DataSource used =
          factory instanceof EntityManagerFactoryInfo info ? info.getDataSource() : null;
      return used != null
          && DataSources.layers(used).stream()
              .anyMatch(layer -> DataSources.layers(dataSource).contains(layer));
    }
  }
}
