package dev.holdfast.crashtest;

import dev.holdfast.crashtest.resource.Hook;
import dev.holdfast.crashtest.resource.JdbcResource;
import java.sql.DriverManager;
import javax.sql.DataSource;

/**
 * What one process may use of the outside world. The lab gives a new one to each process that it
 * starts; what is made through it dies with that process. What is not made through it is neither
 * explored nor crashed.
 *
 * <p>Names are the same in every process; {@link Expectation}s look resources up by them.
 */
public final class Resources {
  private final Incarnation process;
  private final Truths truths;

  Resources(Incarnation process, Truths truths) {
    this.process = process;
    this.truths = truths;
  }

  /**
   * A database, each connection a new one; build a pool on top when the code wants one. It can lose
   * answers.
   */
  public DataSource dataSource(String name, String jdbcUrl) {
    truths.register(name, () -> new DatabaseTruth(() -> DriverManager.getConnection(jdbcUrl)));
    return JdbcResource.of(name, process, jdbcUrl);
  }

  /**
   * A database behind a data source of yours, which may be a pool that lives as long as the JVM:
   * only its connections die with the process. It cannot lose answers, see {@link
   * #dataSource(String, String)}.
   */
  public DataSource dataSource(String name, DataSource real) {
    truths.register(name, () -> new DatabaseTruth(real::getConnection));
    return JdbcResource.of(name, process, real);
  }

  /**
   * What to close when the process stops in order; the latest first. Also on a dead one, fenced.
   */
  public void onStop(AutoCloseable closeable) {
    process.onStop(closeable);
  }

  /** For resources that the lab does not know. */
  public Hook hook() {
    return process;
  }
}
