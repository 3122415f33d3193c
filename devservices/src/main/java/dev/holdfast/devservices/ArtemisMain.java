package dev.holdfast.devservices;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.activemq.artemis.api.core.SimpleString;
import org.apache.activemq.artemis.core.config.Configuration;
import org.apache.activemq.artemis.core.config.impl.ConfigurationImpl;
import org.apache.activemq.artemis.core.server.JournalType;
import org.apache.activemq.artemis.core.server.embedded.EmbeddedActiveMQ;
import org.apache.activemq.artemis.core.settings.impl.AddressSettings;

/**
 * The program of the Artemis process: runs the server until SIGTERM, and leaves two files beside
 * the data: its process id, and a mark when it is ready.
 */
final class ArtemisMain {
  static final String PID_FILE = "artemis.pid";
  static final String READY_FILE = "artemis.ready";

  /** How queues were called long ago; clients try that name when there is no queue of the other. */
  private static final String FORMER_PREFIX = "jms.queue.";

  private ArtemisMain() {}

  /**
   * Runs the server.
   *
   * @param args the server's directory and its port
   */
  public static void main(String[] args) throws Exception {
    Path home = Path.of(args[0]);
    Files.writeString(home.resolve(PID_FILE), Long.toString(ProcessHandle.current().pid()));
    EmbeddedActiveMQ server = new EmbeddedActiveMQ();
    try {
      server.setConfiguration(configuration(home.resolve("data"), Integer.parseInt(args[1])));
      server.start();
      if (!server.getActiveMQServer().isActive()) {
        // It has told its log why, and nobody else.
        throw new IllegalStateException("Artemis has not become active");
      }
      Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(server), "artemis-shutdown"));
      Files.writeString(home.resolve(READY_FILE), "");
    } catch (Throwable e) {
      // Artemis' threads would keep a half-started server alive.
      e.printStackTrace();
      Runtime.getRuntime().halt(1);
    }
  }

  private static Configuration configuration(Path data, int port) throws Exception {
    ConfigurationImpl configuration = new ConfigurationImpl();
    configuration.setJournalDirectory(data.resolve("journal").toString());
    configuration.setBindingsDirectory(data.resolve("bindings").toString());
    configuration.setLargeMessagesDirectory(data.resolve("large").toString());
    configuration.setPagingDirectory(data.resolve("paging").toString());
    configuration.setJournalType(JournalType.NIO);
    configuration.setSecurityEnabled(false);
    // Two files of 10 MB unless told otherwise, written through at each start.
    configuration.setJournalFileSize(1 << 20);
    configuration.addAcceptorConfiguration("tcp", "tcp://127.0.0.1:" + port);
    // A queue that went with its last message would take what is sent to it meanwhile along.
    configuration.addAddressSetting("#", defaults());
    for (String prefix : List.of("", FORMER_PREFIX)) {
      configuration.addAddressSetting(
          prefix + ArtemisServer.NOT_CREATED + "#",
          defaults().setAutoCreateQueues(false).setAutoCreateAddresses(false));
    }
    return configuration;
  }

  private static AddressSettings defaults() {
    return new AddressSettings()
        .setAutoDeleteQueues(false)
        .setAutoDeleteAddresses(false)
        .setDeadLetterAddress(SimpleString.of(ArtemisServer.DEAD_LETTERS));
  }

  private static void stop(EmbeddedActiveMQ server) {
    try {
      server.stop();
    } catch (Exception e) {
      throw new IllegalStateException("Artemis was not stopped in order", e);
    }
  }
}
