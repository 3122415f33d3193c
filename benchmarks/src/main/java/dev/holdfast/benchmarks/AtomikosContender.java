package dev.holdfast.benchmarks;

import com.atomikos.icatch.config.UserTransactionServiceImp;
import com.atomikos.icatch.jta.UserTransactionManager;
import com.atomikos.jdbc.AtomikosDataSourceBean;
import java.io.IOException;
import java.nio.file.Files;
import java.sql.Connection;
import java.util.Map;
import java.util.Properties;
import org.postgresql.xa.PGXADataSource;

/** Atomikos, with its own pool of XA connections. */
final class AtomikosContender implements TwoPhaseContender {
  private boolean started;

  @Override
  public String name() {
    return "atomikos";
  }

  @Override
  public String guarantee(TwoPhaseScenario scenario) {
    return "atomic, with its log; forced writes of that come on top, two at one thread, and are not counted";
  }

  @Override
  public Map<String, String> settings() {
    return BestSettings.atomikos();
  }

  @Override
  public TwoPhaseEntry enter(TwoPhaseServers servers, TwoPhaseScenario scenario) throws Exception {
    startOnce(servers);
    UserTransactionManager manager = new UserTransactionManager();
    manager.setStartupTransactionService(false);
    AtomikosDataSourceBean a = pool("a", servers.urlA(), scenario.threads());
    AtomikosDataSourceBean b = pool("b", servers.urlB(), scenario.threads());
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

  /** Until the program ends: its log is one of the JVM, as those of others are. */
  private void startOnce(TwoPhaseServers servers) throws IOException {
    if (started) {
      return;
    }
    Properties properties = new Properties();
    properties.putAll(BestSettings.atomikos());
    properties.setProperty(
        "com.atomikos.icatch.log_base_dir",
        Files.createDirectories(servers.logs().resolve("atomikos")).toString());
    new UserTransactionServiceImp(properties).init();
    started = true;
  }

  private static AtomikosDataSourceBean pool(String name, String url, int threads)
      throws Exception {
    PGXADataSource source = new PGXADataSource();
    source.setUrl(url);
    AtomikosDataSourceBean pool = new AtomikosDataSourceBean();
    pool.setUniqueResourceName(name);
    pool.setXaDataSource(source);
    pool.setPoolSize(threads);
    pool.init();
    return pool;
  }
}
