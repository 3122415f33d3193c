package dev.holdfast.benchmarks;

import com.arjuna.ats.arjuna.common.CoordinatorEnvironmentBean;
import com.arjuna.ats.arjuna.common.CoreEnvironmentBean;
import com.arjuna.ats.arjuna.common.CoreEnvironmentBeanException;
import com.arjuna.ats.arjuna.common.ObjectStoreEnvironmentBean;
import com.arjuna.ats.jta.common.jtaPropertyManager;
import com.arjuna.common.internal.util.propertyservice.BeanPopulator;
import io.agroal.api.AgroalDataSource;
import io.agroal.api.configuration.supplier.AgroalDataSourceConfigurationSupplier;
import io.agroal.narayana.NarayanaTransactionIntegration;
import jakarta.transaction.TransactionManager;
import jakarta.transaction.TransactionSynchronizationRegistry;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.Map;
import org.postgresql.xa.PGXADataSource;

/** Narayana, with the pool of XA connections that Quarkus has with it. */
final class NarayanaContender implements TwoPhaseContender {
  private static final String NODE = "bench";

  /** Narayana is there once in a JVM, and so is its log. */
  private boolean configured;

  @Override
  public String name() {
    return "narayana";
  }

  @Override
  public String guarantee(TwoPhaseScenario scenario) {
    return "atomic, with its log and its node id; forced writes of that log come on top, one at one thread, and are not counted";
  }

  @Override
  public Map<String, String> settings() {
    return BestSettings.narayana();
  }

  @Override
  public TwoPhaseEntry enter(TwoPhaseServers servers, TwoPhaseScenario scenario)
      throws SQLException, CoreEnvironmentBeanException {
    configure(servers);
    TransactionManager manager = com.arjuna.ats.jta.TransactionManager.transactionManager();
    TransactionSynchronizationRegistry registry =
        jtaPropertyManager.getJTAEnvironmentBean().getTransactionSynchronizationRegistry();
    AgroalDataSource a = pool(servers.urlA(), scenario.threads(), manager, registry);
    AgroalDataSource b = pool(servers.urlB(), scenario.threads(), manager, registry);
    return new TwoPhaseEntry() {
      @Override
      public void commit(long number) throws Exception {
        manager.begin();
        try (Connection first = a.getConnection();
            Connection second = b.getConnection()) {
          EntryTable.insert(first, number);
          EntryTable.insert(second, number);
        }
        manager.commit();
      }

      @Override
      public void settle() {
        // A commit that returns is done.
      }

      @Override
      public void close() {
        b.close();
        a.close();
      }
    };
  }

  private void configure(TwoPhaseServers servers) throws CoreEnvironmentBeanException {
    if (configured) {
      return;
    }
    BeanPopulator.getDefaultInstance(CoreEnvironmentBean.class).setNodeIdentifier(NODE);
    String logs = servers.logs().resolve("narayana").toString();
    BeanPopulator.getDefaultInstance(ObjectStoreEnvironmentBean.class).setObjectStoreDir(logs);
    for (String store : new String[] {"communicationStore", "stateStore"}) {
      BeanPopulator.getNamedInstance(ObjectStoreEnvironmentBean.class, store)
          .setObjectStoreDir(logs);
    }
    BeanPopulator.getDefaultInstance(CoordinatorEnvironmentBean.class)
        .setTransactionStatusManagerEnable(BestSettings.NARAYANA_STATUS_MANAGER);
    configured = true;
  }

  private static AgroalDataSource pool(
      String url,
      int threads,
      TransactionManager manager,
      TransactionSynchronizationRegistry registry)
      throws SQLException {
    return AgroalDataSource.from(
        new AgroalDataSourceConfigurationSupplier()
            .connectionPoolConfiguration(
                pool ->
                    pool.initialSize(threads)
                        .maxSize(threads)
                        .transactionIntegration(
                            new NarayanaTransactionIntegration(manager, registry))
                        .connectionFactoryConfiguration(
                            factory ->
                                factory
                                    .connectionProviderClass(PGXADataSource.class)
                                    .jdbcUrl(url))));
  }
}
