package dev.holdfast.benchmarks;

import jakarta.persistence.EntityManager;
import jakarta.persistence.EntityManagerFactory;
import jakarta.persistence.PersistenceConfiguration;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.sql.Types;
import javax.sql.DataSource;
import org.axonframework.common.jpa.EntityManagerProvider;
import org.axonframework.messaging.core.unitofwork.transaction.Transaction;
import org.axonframework.messaging.core.unitofwork.transaction.TransactionManager;
import org.hibernate.boot.model.TypeContributions;
import org.hibernate.dialect.PostgreSQLDialect;
import org.hibernate.service.ServiceRegistry;
import org.hibernate.type.descriptor.jdbc.VarbinaryJdbcType;
import org.jspecify.annotations.Nullable;

/** A thread's transaction on Hibernate, as a container would give it to Axon. */
final class Jpa implements EntityManagerProvider, TransactionManager, AutoCloseable {
  private final EntityManagerFactory factory;

  @SuppressWarnings("ThreadLocalUsage") // There is one for each run.
  private final ThreadLocal<@Nullable EntityManager> current = new ThreadLocal<>();

  private Jpa(EntityManagerFactory factory) {
    this.factory = factory;
  }

  /** Bytes as bytea, and not as a large object, as Axon's manual advises. */
  public static final class ByteaDialect extends PostgreSQLDialect {
    @Override
    protected String columnType(int sqlTypeCode) {
      return sqlTypeCode == Types.BLOB ? "bytea" : super.columnType(sqlTypeCode);
    }

    @Override
    public void contributeTypes(TypeContributions contributions, ServiceRegistry registry) {
      super.contributeTypes(contributions, registry);
      contributions
          .getTypeConfiguration()
          .getJdbcTypeRegistry()
          .addDescriptor(Types.BLOB, VarbinaryJdbcType.INSTANCE);
    }
  }

  /**
   * @param create whether to make the tables
   */
  static Jpa open(DataSource pool, boolean create) {
    PersistenceConfiguration configuration =
        new PersistenceConfiguration("axon")
            .managedClass(AxonEventContender.entity())
            .property("hibernate.connection.datasource", pool)
            .property("hibernate.dialect", ByteaDialect.class.getName())
            .property("hibernate.connection.provider_disables_autocommit", "false");
    BestSettings.AXON_HIBERNATE.forEach(configuration::property);
    if (create) {
      configuration.property("hibernate.hbm2ddl.auto", "create-only");
    }
    return new Jpa(configuration.createEntityManagerFactory());
  }

  /**
   * The transaction's, which whoever uses it does not close; or one of its own, where there is
   * none.
   */
  @Override
  public EntityManager getEntityManager() {
    EntityManager mine = current.get();
    if (mine == null) {
      // A question that is asked without one.
      return factory.createEntityManager();
    }
    return (EntityManager)
        Proxy.newProxyInstance(
            Jpa.class.getClassLoader(),
            new Class<?>[] {EntityManager.class},
            (proxy, method, arguments) -> {
              if (method.getName().equals("close")) {
                return null;
              }
              try {
                return method.invoke(mine, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause() == null ? e : e.getCause();
              }
            });
  }

  @Override
  public Transaction startTransaction() {
    if (current.get() != null) {
      throw new IllegalStateException("This thread has a transaction: the engine begins no other.");
    }
    EntityManager mine = factory.createEntityManager();
    mine.getTransaction().begin();
    current.set(mine);
    return new Transaction() {
      @Override
      public void commit() {
        try (mine) {
          mine.getTransaction().commit();
        } finally {
          current.remove();
        }
      }

      @Override
      public void rollback() {
        if (!mine.isOpen()) {
          // A commit that failed has ended it, and the engine rolls back all the same.
          return;
        }
        try (mine) {
          mine.getTransaction().rollback();
        } finally {
          current.remove();
        }
      }
    };
  }

  @Override
  public void close() {
    factory.close();
  }
}
