package dev.holdfast.jta;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;

/** A process that recovers, under a name that it is given. */
final class OtherNodeMain {
  private OtherNodeMain() {}

  static void run(String node) throws IOException, InterruptedException {
    run(node, TestServers.logDirectory());
  }

  static void run(String node, Path log) throws IOException, InterruptedException {
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xmx256m",
                "-Dorg.jboss.logging.provider=slf4j",
                "-cp",
                System.getProperty(
                    "surefire.test.class.path", System.getProperty("java.class.path")),
                OtherNodeMain.class.getName(),
                node,
                log.toString(),
                TestServers.ORDERS,
                TestServers.LEDGER,
                TestServers.ARTEMIS.url())
            .inheritIO()
            .start();
    assertThat(process.waitFor(2, TimeUnit.MINUTES)).isTrue();
    assertThat(process.exitValue()).isZero();
  }

  /** The node, the log, the databases and the broker. */
  public static void main(String[] args) {
    try (XaCommit xa =
        XaCommit.as(args[0])
            .logIn(Path.of(args[1]))
            .allowTemporaryLog()
            .participants(
                XaParticipant.jdbc("orders", Drivers.xa(args[2])),
                XaParticipant.jdbc("ledger", Drivers.xa(args[3])),
                XaParticipant.jms("broker", Drivers.broker(args[4])))
            .start()) {
      xa.recover();
    }
    // The broker's client has threads that outlive it.
    System.exit(0);
  }
}
