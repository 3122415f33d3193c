package dev.holdfast.cli.demo;

import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One instance of a service, in a process of its own, to be killed; ends by itself when the driver
 * that started it is gone.
 */
public final class DemoService {
  private static final Logger log = LoggerFactory.getLogger(DemoService.class);
  private static final int THREADS = 32;

  private DemoService() {}

  /**
   * Serves until it is killed.
   *
   * @param arguments as {@link Wiring.Address#arguments()} gives them
   */
  public static void main(String[] arguments) {
    endWithDriver();
    log.info("starting");
    try {
      serve(Wiring.Address.parse(arguments));
    } catch (IOException | RuntimeException e) {
      log.error("cannot start; another is started in its place", e);
      // What did start may have threads that would keep the rest alive.
      Runtime.getRuntime().halt(1);
    }
    log.info("serving");
  }

  private static void serve(Wiring.Address address) throws IOException {
    HttpServer server =
        HttpServer.create(
            new InetSocketAddress(InetAddress.getLoopbackAddress(), address.port()), 256);
    server.setExecutor(Executors.newFixedThreadPool(THREADS));
    address.service().open(address.kind(), address.wire(), server);
    server.start();
  }

  /** The driver holds the other end of standard input, and the kernel closes it when it dies. */
  private static void endWithDriver() {
    Thread watch =
        new Thread(
            () -> {
              try {
                while (System.in.read() >= 0) {
                  // Nothing is ever written.
                }
              } catch (IOException e) {
                log.debug("the driver is gone", e);
              }
              Runtime.getRuntime().halt(1);
            },
            "driver-watch");
    watch.setDaemon(true);
    watch.start();
  }
}
