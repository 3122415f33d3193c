package dev.holdfast.devservices;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import org.opensearch.common.settings.Settings;
import org.opensearch.env.Environment;
import org.opensearch.node.InternalSettingsPreparer;
import org.opensearch.node.Node;
import org.opensearch.transport.Netty4Plugin;

/**
 * The program of the OpenSearch process: runs one node until SIGTERM, and leaves two files beside
 * the data: its process id, and a mark when it is ready.
 */
final class OpenSearchMain {
  static final String PID_FILE = "opensearch.pid";
  static final String READY_FILE = "opensearch.ready";

  private OpenSearchMain() {}

  /** A node with the one plugin by which it speaks HTTP. */
  private static final class SingleNode extends Node {
    SingleNode(Environment environment) {
      super(environment, List.of(Netty4Plugin.class), false);
    }
  }

  /**
   * Runs the node.
   *
   * @param args the server's directory and its port
   */
  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]);
    Files.writeString(home.resolve(PID_FILE), Long.toString(ProcessHandle.current().pid()));
    try {
      Node node = new SingleNode(environment(home, args[1]));
      node.start();
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(node), "opensearch-shutdown"));
      // What was there before is there again: at once it would say that it has no shard.
      node.client()
          .admin()
          .cluster()
          .prepareHealth()
          .setWaitForYellowStatus()
          .setWaitForNoInitializingShards(true)
          .setTimeout("60s")
          .get();
      Files.writeString(home.resolve(READY_FILE), "");
      // All of the node's threads are daemons.
      new CountDownLatch(1).await();
    } catch (Throwable e) {
      // The node's threads would keep a half-started one alive.
      e.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }

  private static Environment environment(Path home, String port) {
    Settings settings =
        Settings.builder()
            .put("cluster.name", "holdfast")
            .put("path.home", home.toString())
            .put("path.data", home.resolve("data").toString())
            .put("discovery.type", "single-node")
            .put("network.host", "127.0.0.1")
            .put("http.port", port)
            .put("http.type", "netty4")
            .put("transport.type", "netty4")
            // Nobody connects there, and two nodes of one machine are not to meet.
            .put("transport.port", "0")
            // A disk that is fuller than a production cluster's may be is no reason to refuse.
            .put("cluster.routing.allocation.disk.threshold_enabled", false)
            .build();
    return InternalSettingsPreparer.prepareEnvironment(settings, Map.of(), home, () -> "holdfast");
  }

  private static void stop(Node node) {
    try {
      node.close();
    } catch (IOException e) {
      throw new IllegalStateException("OpenSearch was not stopped in order", e);
    }
  }
}
