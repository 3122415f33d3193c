package dev.holdfast.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** What a run was on, and how busy it was with other things. */
final class Machine {
  private static final Path LOAD = Path.of("/proc/loadavg");

  private final String loadAtStart = load();

  /** To be asked at the end. */
  Map<String, Object> describe() {
    Map<String, Object> machine = new LinkedHashMap<>();
    machine.put("processors", Runtime.getRuntime().availableProcessors());
    machine.put("os", System.getProperty("os.name") + " " + System.getProperty("os.arch"));
    machine.put("java", System.getProperty("java.version"));
    machine.put("max_heap_mb", Runtime.getRuntime().maxMemory() >> 20);
    machine.put("load_at_start", loadAtStart);
    machine.put("load_at_end", load());
    return machine;
  }

  /** What a directory is on: figures from memory would say nothing. */
  static String fileSystem(Path directory) {
    try {
      return Files.getFileStore(directory).type();
    } catch (IOException e) {
      throw new BenchmarkFailure("Nobody can tell what " + directory + " is on", e);
    }
  }

  private static String load() {
    try {
      return Files.readString(LOAD).strip();
    } catch (IOException e) {
      return "unknown";
    }
  }
}
