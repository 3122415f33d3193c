package dev.holdfast.examples.spring;

import java.util.stream.Stream;
import org.springframework.boot.SpringApplication;

/**
 * Runs the service on servers of its own, until it is interrupted; these end with their program.
 */
final class TryItOut {
  private TryItOut() {}

  public static void main(String[] arguments) {
    Servers servers = new Servers();
    SpringApplication.run(
        OrderApplication.class,
        Stream.concat(
                servers.properties().stream().map(property -> "--" + property),
                Stream.of(arguments))
            .toArray(String[]::new));
    System.out.println("The order service is at http://127.0.0.1:8080 and runs until Ctrl-C.");
  }
}
