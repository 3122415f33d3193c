package dev.holdfast.crashtest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.report.ExplorationReport;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/**
 * The lab on a class path that has neither Kafka's client, nor JMS, nor the development servers.
 */
final class OptionalLibrariesTest {

  /** A program of a user who has a database only. */
  static final class DatabaseOnly {
    private DatabaseOnly() {}

    public static void main(String[] args) {
      requireMissing("org.apache.kafka.clients.producer.Producer");
      requireMissing("jakarta.jms.ConnectionFactory");
      requireMissing("dev.holdfast.devservices.TcpRelay");
      ExplorationReport report =
          CrashLab.explore(
              "place",
              CrashLab.Options.defaults(),
              lab ->
                  lab.application(
                          resources ->
                              new TwoTables(
                                  resources.dataSource("shop", args[0]), args[1], args[1]))
                      .operation(TwoTables::inOneCommit)
                      .expect(Expect.row(args[1]).byKey("id").times(2)));
      report.runs().stream()
          .filter(run -> !run.passed())
          .forEach(run -> System.out.println(run.problem() + " " + run.findings()));
      System.out.println(report.runs().size() + " " + report.passed());
    }

    private static void requireMissing(String name) {
      try {
        Class.forName(name);
      } catch (ClassNotFoundException e) {
        return;
      }
      throw new IllegalStateException(name + " is on the class path");
    }
  }

  @Test
  void areNotNeededForADatabase() throws Exception {
    Process program =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPathWithoutThem(),
                DatabaseOnly.class.getName(),
                LabServers.url(),
                LabServers.table("orders"))
            .redirectErrorStream(true)
            .start();
    String output = new String(program.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(program.waitFor(1, TimeUnit.MINUTES)).isTrue();
    assertThat(output.strip()).isEqualTo("4 true");
  }

  private static String classPathWithoutThem() {
    String all =
        System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    return Arrays.stream(all.split(File.pathSeparator))
        .filter(entry -> !entry.contains("kafka-clients"))
        .filter(entry -> !entry.contains("jms"))
        .filter(entry -> !entry.contains("artemis"))
        .filter(entry -> !entry.contains("devservices"))
        .collect(Collectors.joining(File.pathSeparator));
  }
}
