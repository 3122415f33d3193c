package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The script {@code holdfast}, in a checkout of its own whose Java and Maven only say so. */
class ScriptTest {
  private static final List<String> TOOLS =
      List.of(
          "bash",
          "dirname",
          "env",
          "find",
          "flock",
          "mkdir",
          "mv",
          "readlink",
          "rm",
          "sed",
          "touch");

  @TempDir Path directory;

  private Path home = Path.of("");
  private Path jdk = Path.of("");

  @BeforeEach
  void checkOut() throws IOException {
    home = Files.createDirectory(directory.resolve("check out"));
    for (String module :
        List.of(
            "bom",
            "core",
            "postgres",
            "kafka",
            "http",
            "jms",
            "jackson",
            "rabbitmq",
            "mariadb",
            "opensearch",
            "micrometer",
            "devservices",
            "crashtest",
            "examples",
            "cli",
            "benchmarks")) {
      Files.createDirectory(home.resolve(module));
    }
    Files.writeString(home.resolve("pom.xml"), "");
    program(home.resolve("holdfast"), Files.readString(Path.of("../holdfast")));
    program(
        home.resolve("mvnw"),
        """
        #!/usr/bin/env bash
        echo "built $*" >> "$(dirname "$0")/maven.log"
        """);
    jdk = directory.resolve("jdk");
    java("17");
    program(jdk.resolve("bin/javac"), "");
  }

  private void java(String version) throws IOException {
    program(
        jdk.resolve("bin/java"),
        """
        #!/usr/bin/env bash
        if [[ $1 == -XshowSettings* ]]; then echo "    java.specification.version = %s" >&2; exit; fi
        printf '%%s\\n' "$@"
        """
            .formatted(version));
  }

  private static void program(Path file, String text) throws IOException {
    Files.createDirectories(file.getParent());
    Files.writeString(file, text);
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rwxr-xr-x"));
  }

  private record Result(int status, List<String> out, String err) {}

  private Process start(Path script, @Nullable Path javaHome, String... arguments)
      throws IOException {
    List<String> command = new ArrayList<>(List.of(script.toString()));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = new ProcessBuilder(command).directory(Path.of("/").toFile());
    builder.environment().remove("HOLDFAST_JAVA_OPTS");
    builder.environment().remove("JAVA_HOME");
    if (javaHome != null) {
      builder.environment().put("JAVA_HOME", javaHome.toString());
    }
    builder.environment().put("PATH", tools().toString());
    return builder.start();
  }

  /** A PATH with what the script uses, and no Java. */
  private Path tools() throws IOException {
    Path bin = directory.resolve("bin");
    if (!Files.exists(bin)) {
      Files.createDirectory(bin);
      for (String tool : TOOLS) {
        Files.createSymbolicLink(
            bin.resolve(tool),
            Files.exists(Path.of("/usr/bin", tool))
                ? Path.of("/usr/bin", tool)
                : Path.of("/bin", tool));
      }
    }
    return bin;
  }

  private static Result end(Process process) throws IOException, InterruptedException {
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    String err = new String(process.getErrorStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
    return new Result(process.exitValue(), out.lines().toList(), err);
  }

  private Result run(String... arguments) throws IOException, InterruptedException {
    return end(start(home.resolve("holdfast"), jdk, arguments));
  }

  private List<String> builds() throws IOException {
    Path log = home.resolve("maven.log");
    return Files.exists(log) ? Files.readAllLines(log) : List.of();
  }

  @Test
  void firstRunBuildsAndLaterOnesDoNotUntilASourceChanges() throws Exception {
    assertThat(run("--version").err()).contains("the first build");
    assertThat(builds()).hasSize(1);
    assertThat(run("--version").err()).isEmpty();
    assertThat(builds()).hasSize(1);

    Files.writeString(home.resolve("core/Source.java"), "");

    assertThat(run("--version").err()).contains("the sources have changed");
    assertThat(builds()).hasSize(2);
    assertThat(run("--version").err()).isEmpty();
  }

  /** Whatever it depends on, as its build has it. */
  @Test
  void aChangeInAnyModuleOfTheCommandIsBuilt() throws Exception {
    run("--version");
    Matcher module =
        Pattern.compile("<artifactId>holdfast-([a-z-]+)</artifactId>")
            .matcher(Files.readString(Path.of("pom.xml")).replace("holdfast-parent", ""));
    int built = 1;
    while (module.find()) {
      Files.writeString(home.resolve(module.group(1)).resolve("Source.java"), "");

      run("--version");

      assertThat(builds()).as(module.group(1)).hasSize(++built);
    }
    assertThat(built).isGreaterThan(10);
  }

  @Test
  void benchmarksAreBuiltWhenTheyAreAskedForAndNotBefore() throws Exception {
    run("--version");
    assertThat(builds()).singleElement().asString().doesNotContain("benchmarks");
    Files.writeString(home.resolve("benchmarks/Source.java"), "");
    assertThat(run("--version").err()).isEmpty();

    Result first = run("bench", "outbox", "--rounds", "1");

    assertThat(first.err()).contains("the first build");
    assertThat(builds()).hasSize(2).last().asString().contains("cli,benchmarks");
    assertThat(first.out())
        .contains("-Dholdfast.home=" + home.toRealPath())
        .endsWith("bench", "outbox", "--rounds", "1");
    assertThat(run("bench", "outbox").err()).isEmpty();
    assertThat(run("--version").err()).isEmpty();
    Files.writeString(home.resolve("benchmarks/Source.java"), "changed");
    assertThat(run("bench", "outbox").err()).contains("the sources have changed");
  }

  @Test
  void buildThatFailsRunsNothingAndIsTriedAgain() throws Exception {
    program(home.resolve("mvnw"), "#!/usr/bin/env bash\necho broken >&2; exit 1\n");

    for (int attempt = 0; attempt < 2; attempt++) {
      Result result = run("--version");
      assertThat(result.status()).isEqualTo(1);
      assertThat(result.err()).contains("broken", "The build failed", "Nothing was run");
      assertThat(result.out()).isEmpty();
    }
  }

  @Test
  void terminalsThatStartTogetherBuildOnce() throws Exception {
    Path gate = home.resolve("gate");
    assertThat(new ProcessBuilder("mkfifo", gate.toString()).start().waitFor()).isZero();
    program(
        home.resolve("mvnw"),
        """
        #!/usr/bin/env bash
        echo built >> "$(dirname "$0")/maven.log"
        read -r < "$(dirname "$0")/gate"
        """);
    List<Process> terminals = new ArrayList<>();
    for (int terminal = 0; terminal < 3; terminal++) {
      terminals.add(start(home.resolve("holdfast"), jdk, "--version"));
    }
    Files.writeString(gate, "go\n");

    for (Process terminal : terminals) {
      assertThat(end(terminal).status()).isZero();
    }
    assertThat(builds()).hasSize(1);
  }

  @Test
  void builtCheckoutIsOnlyRead() throws Exception {
    run("--version");
    Map<Path, FileTime> before = times();

    assertThat(run("outbox", "status").status()).isZero();

    assertThat(times()).isEqualTo(before);
  }

  private Map<Path, FileTime> times() throws IOException {
    Map<Path, FileTime> times = new TreeMap<>();
    try (Stream<Path> files = Files.walk(home)) {
      for (Path file : files.toList()) {
        times.put(file, Files.getLastModifiedTime(file));
      }
    }
    return times;
  }

  @Test
  void shortCommandsCompileLittleAndARelayAsItsJvmThinksBest() throws Exception {
    assertThat(run("outbox", "status", "--channel", "relay").out())
        .contains("-XX:TieredStopAtLevel=1", "dev.holdfast.cli.Main", "--channel");
    assertThat(run("demo").out()).contains("-XX:TieredStopAtLevel=1");
    assertThat(run("relay", "--embedded").out())
        .noneMatch(argument -> argument.startsWith("-XX:"))
        .endsWith("dev.holdfast.cli.Main", "relay", "--embedded");
    assertThat(run("--debug", "relay").out()).noneMatch(argument -> argument.startsWith("-XX:"));
    assertThat(run().out()).endsWith("dev.holdfast.cli.Main");
  }

  @Test
  void worksThroughALinkAndFromAnywhereWithSpacesInItsPathAndArguments() throws Exception {
    Path link = Files.createSymbolicLink(directory.resolve("link"), home.resolve("holdfast"));

    assertThat(end(start(link, jdk, "outbox", "park", "a key")).out())
        .contains(
            home.toRealPath().resolve("cli/target/classes")
                + ":"
                + home.toRealPath().resolve("cli/target/lib/*"))
        .endsWith("park", "a key");
  }

  @Test
  void javaOfThePathServesToo() throws Exception {
    Files.createSymbolicLink(tools().resolve("java"), jdk.resolve("bin/java"));

    assertThat(end(start(home.resolve("holdfast"), null, "--version")).status()).isZero();
  }

  @Test
  void withoutJavaItSaysSo() throws Exception {
    Result result = end(start(home.resolve("holdfast"), null, "--version"));

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err())
        .startsWith("holdfast: There is no java")
        .contains("JAVA_HOME", "Install a JDK, 17 or newer");
  }

  @Test
  void withAnOldJavaItSaysSo() throws Exception {
    java("11");
    Result result = run("--version");

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("is version 11", "needs 17 or newer");
  }

  @Test
  void withoutACompilerItRunsWhatIsBuiltAndDoesNotBuild() throws Exception {
    run("--version");
    Files.delete(jdk.resolve("bin/javac"));
    assertThat(run("--version").status()).isZero();
    Files.writeString(home.resolve("pom.xml"), "<project/>", StandardOpenOption.TRUNCATE_EXISTING);

    Result result = run("--version");

    assertThat(result.status()).isEqualTo(1);
    assertThat(result.err()).contains("without a compiler", "Nothing was built");
    assertThat(builds()).hasSize(1);
  }
}
