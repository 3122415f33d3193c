package dev.holdfast.examples.spring;

import java.util.stream.Stream;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.logging.LoggingSystem;
import org.springframework.context.ConfigurableApplicationContext;

/**
 * Runs the service on servers of its own, until it is interrupted; these end with their program.
 */
final class TryItOut {
  private TryItOut() {}

  public static void main(String[] arguments) {
    // Nothing is logged before the service has said what is to be.
    LoggingSystem.get(TryItOut.class.getClassLoader()).beforeInitialize();
    Servers servers = new Servers();
    ConfigurableApplicationContext application =
        SpringApplication.run(
            OrderApplication.class,
            Stream.concat(
                    servers.properties().stream().map(property -> "--" + property),
                    Stream.of(arguments))
                .toArray(String[]::new));
    System.out.println(
        "The order service is at http://127.0.0.1:"
            + application.getEnvironment().getProperty("local.server.port")
            + " and runs until Ctrl-C.");
  }
}
