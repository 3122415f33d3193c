package dev.holdfast.devservices;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A program that dies by SIGKILL leaves no server behind. */
@Tag("long")
final class LeftBehindTest {
  private static final Duration SOON = Duration.ofSeconds(30);

  /** The forked program: starts the servers, tells about them and waits to be killed. */
  static final class Program {
    private Program() {}

    public static void main(String[] args) throws Exception {
      if (args.length == 0) {
        try (PostgresServer postgres = PostgresServer.start()) {
          System.out.println(postgres.pid());
          System.in.read();
        }
        return;
      }
      Path directory = Path.of(args[0]);
      try (PostgresServer postgres =
              PostgresServer.builder().dataDirectory(directory.resolve("postgres")).start();
          KafkaServer kafka =
              KafkaServer.builder().dataDirectory(directory.resolve("kafka")).start();
          MariaDbServer mariaDb =
              MariaDbServer.builder().dataDirectory(directory.resolve("mariadb")).start()) {
        try (Connection connection = DriverManager.getConnection(postgres.jdbcUrl());
            Statement statement = connection.createStatement()) {
          statement.execute("create table kept (n int)");
        }
        if (args[1].equals("paused")) {
          postgres.pause();
          kafka.pause();
          mariaDb.pause();
        }
        System.out.println(postgres.pid() + " " + kafka.pid() + " " + mariaDb.pid());
        System.in.read();
      }
    }
  }

  @Test
  void serversVanish(@TempDir Path directory) throws Exception {
    List<Long> servers = runAndKill(directory.toString(), "running");
    Awaitility.await().atMost(SOON).until(() -> servers.stream().noneMatch(Processes::isAlive));
  }

  @Test
  void aNewStartOnTheirDirectoriesSucceedsAtOnceEvenWhenTheyWerePaused(@TempDir Path directory)
      throws Exception {
    List<Long> servers = runAndKill(directory.toString(), "paused");
    assertStartsAgain(directory);
    assertThat(servers).noneMatch(Processes::isAlive);
  }

  @Test
  void temporaryDirectoriesVanishToo(@TempDir Path directory) throws Exception {
    Process program = fork(directory);
    long postgres = pids(program).get(0);
    assertThat(temporaryDirectories(directory)).isNotEmpty();
    program.destroyForcibly().waitFor();
    Awaitility.await()
        .atMost(SOON)
        .untilAsserted(
            () -> {
              assertThat(Processes.isAlive(postgres)).isFalse();
              assertThat(temporaryDirectories(directory)).isEmpty();
            });
  }

  private static void assertStartsAgain(Path directory) throws SQLException {
    long start = System.nanoTime();
    try (PostgresServer postgres =
            PostgresServer.builder().dataDirectory(directory.resolve("postgres")).start();
        Connection connection = DriverManager.getConnection(postgres.jdbcUrl());
        Statement statement = connection.createStatement();
        KafkaServer kafka =
            KafkaServer.builder().dataDirectory(directory.resolve("kafka")).start();
        MariaDbServer mariaDb =
            MariaDbServer.builder().dataDirectory(directory.resolve("mariadb")).start()) {
      mariaDb.createDatabase("works");
      statement.execute("insert into kept values (1)");
      kafka.createTopic("works", 1);
    }
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(50));
  }

  private static List<Long> runAndKill(String... args) throws Exception {
    Process program = fork(null, args);
    List<Long> servers = pids(program);
    assertThat(servers).allMatch(Processes::isAlive);
    program.destroyForcibly().waitFor();
    return servers;
  }

  private static Process fork(@Nullable Path temp, String... args) throws IOException {
    Stream<String> java =
        Stream.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Djava.io.tmpdir=" + (temp == null ? System.getProperty("java.io.tmpdir") : temp),
            "-cp",
            System.getProperty("java.class.path"),
            Program.class.getName());
    return new ProcessBuilder(Stream.concat(java, Stream.of(args)).toList())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static List<Long> pids(Process program) throws IOException {
    BufferedReader output = program.inputReader(StandardCharsets.UTF_8);
    String line = output.readLine();
    assertThat(line).as("the program's output").isNotNull();
    return Stream.of(line.split(" ")).map(Long::valueOf).toList();
  }

  private static List<Path> temporaryDirectories(Path directory) throws IOException {
    try (Stream<Path> found = Files.list(directory)) {
      return found.filter(p -> p.getFileName().toString().startsWith("holdfast-")).toList();
    }
  }
}
