package dev.holdfast.devservices;

import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Properties;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.metadata.storage.Formatter;

/**
 * The program of the Kafka process: formats the storage when it is new, runs the server until
 * SIGTERM, and leaves two files beside the data: its process id, and a mark when it is ready.
 */
final class KafkaMain {
  static final String PID_FILE = "kafka.pid";
  static final String READY_FILE = "kafka.ready";
  static final String SETTINGS_FILE = "kafka.properties";

  /** Of our own: the id of the cluster that a new server joins. */
  static final String CLUSTER_ID = "holdfast.cluster.id";

  private KafkaMain() {}

  /**
   * Runs the server.
   *
   * @param args the server's directory
   */
  @SuppressWarnings("SystemExitOutsideMain")
  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]);
    Files.writeString(home.resolve(PID_FILE), Long.toString(ProcessHandle.current().pid()));
    try {
      run(home);
    } catch (Throwable e) {
      // Kafka's threads would keep a half-started server alive.
      e.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }

  private static void run(Path home) throws Exception {
    Properties settings = read(home.resolve(SETTINGS_FILE));
    Object clusterId = settings.remove(CLUSTER_ID);
    KafkaConfig config = new KafkaConfig(settings, false);
    if (!Files.exists(Path.of(config.metadataLogDir(), "meta.properties"))) {
      format(config, clusterId == null ? Uuid.randomUuid().toString() : clusterId.toString());
    }
    KafkaRaftServer server = new KafkaRaftServer(config, Time.SYSTEM);
    Runtime.getRuntime().addShutdownHook(new Thread(server::shutdown, "kafka-shutdown"));
    server.startup();
    Files.writeString(home.resolve(READY_FILE), "");
    server.awaitShutdown();
  }

  private static void format(KafkaConfig config, String clusterId) throws Exception {
    new Formatter()
        .setPrintStream(new PrintStream(System.err, true, java.nio.charset.StandardCharsets.UTF_8))
        .setNodeId(config.nodeId())
        .setClusterId(clusterId)
        .setControllerListenerName("CONTROLLER")
        .setMetadataLogDirectory(config.metadataLogDir())
        .setDirectories(List.of(config.metadataLogDir()))
        .run();
  }

  private static Properties read(Path file) throws IOException {
    Properties properties = new Properties();
    try (InputStream in = new FileInputStream(file.toFile())) {
      properties.load(in);
    }
    return properties;
  }
}
