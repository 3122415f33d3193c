package dev.holdfast.devservices;

import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The class path of Kafka's process, and an archive of the classes that it loads from there (class
 * data sharing, JEP 310): with it a server starts in half the processor time.
 *
 * <p>An archive is valid for every class path that begins with the jars it was made from, and
 * nothing else. So Kafka's own come first, in an order of their own, and programs with different
 * class paths share one. It is made once, from the classes that a first server loads, and kept in
 * the user's cache; a JVM that cannot use it goes on without. That costs as much as several starts
 * gain, so that it is made only for who asks for it.
 */
final class KafkaArchive {
  /** The system property that asks for it. */
  static final String WANTED = "holdfast.kafka.archive";

  /** Those that programs have in the same version, whatever framework manages their others. */
  private static final Pattern JARS_OF_KAFKA =
      Pattern.compile("(kafka[_-]|scala-library-|metrics-core-2|slf4j-api-).*\\.jar");

  private final List<Path> jars;
  private final List<String> others;

  private KafkaArchive(List<Path> jars, List<String> others) {
    this.jars = jars;
    this.others = others;
  }

  /** Of this program's class path. */
  static KafkaArchive ofThisProgram() {
    Map<Boolean, List<String>> entries =
        Pattern.compile(Pattern.quote(File.pathSeparator))
            .splitAsStream(System.getProperty("java.class.path"))
            .distinct()
            .collect(Collectors.partitioningBy(KafkaArchive::isOfKafka));
    return new KafkaArchive(
        entries.getOrDefault(true, List.of()).stream().map(Path::of).sorted().toList(),
        entries.getOrDefault(false, List.of()));
  }

  private static boolean isOfKafka(String entry) {
    Path jar = Path.of(entry);
    return jar.getFileName() != null
        && JARS_OF_KAFKA.matcher(jar.getFileName().toString()).matches()
        && Files.isRegularFile(jar);
  }

  /** The whole class path, whose beginning is what an archive holds. */
  String classPath() {
    List<String> all = new ArrayList<>();
    jars.forEach(jar -> all.add(jar.toString()));
    all.addAll(others);
    return String.join(File.pathSeparator, all);
  }

  /**
   * The options of a JVM that is to use an archive, if one is wanted. It is made now if need be.
   */
  List<String> options() {
    if (!Boolean.getBoolean(WANTED)) {
      return List.of();
    }
    // Kafka runs as whoever we are, though PostgreSQL may not.
    Path entry = Cache.open(RunAs.SELF).entry("kafka-archive-" + key(), this::make);
    return List.of("-Xshare:auto", "-XX:SharedArchiveFile=" + entry.resolve("kafka.jsa"));
  }

  /** The JVM compares sizes and times as well, and does without an archive that does not fit. */
  private String key() {
    StringBuilder all = new StringBuilder(System.getProperty("java.home"));
    all.append(System.getProperty("java.vm.version"));
    try {
      for (Path jar : jars) {
        all.append('\n').append(jar).append(' ').append(Files.size(jar));
        all.append(' ').append(Files.getLastModifiedTime(jar).toMillis());
      }
    } catch (IOException e) {
      throw new DevServiceException("Cannot read a jar of Kafka: " + e.getMessage(), e);
    }
    return UUID.nameUUIDFromBytes(all.toString().getBytes(StandardCharsets.UTF_8)).toString();
  }

  private void make(Path directory) throws IOException {
    Path classes = directory.resolve("classes");
    try (KafkaServer server =
        KafkaServer.builder().withoutArchive("-XX:DumpLoadedClassList=" + classes).start()) {
      server.createTopic("any", 1);
      // The list is complete when its JVM has ended in order.
      server.stop();
    }
    List<String> command = new ArrayList<>();
    command.add(java());
    command.addAll(List.of("-Xshare:dump", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.add("-XX:SharedClassListFile=" + classes);
    command.add("-XX:SharedArchiveFile=" + directory.resolve("kafka.jsa"));
    command.add("-cp");
    command.add(jars.stream().map(Path::toString).collect(Collectors.joining(File.pathSeparator)));
    Processes.Result result = Processes.run(command);
    if (!result.succeeded()) {
      throw new DevServiceException(
          "The archive of Kafka's classes could not be made, so that no server was started. Leave the system property %s out. The JVM said:%n%s"
              .formatted(WANTED, result.output()));
    }
    Files.delete(classes);
  }

  /** The JVM that runs this program. */
  static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }
}
