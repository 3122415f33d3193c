package dev.holdfast.devservices;

import java.net.URI;

/**
 * An OpenSearch server, one node of a search engine, in a child process of this program, which can
 * be crashed, paused and started again. It listens on 127.0.0.1 only, and lets everybody in.
 *
 * <p>Port and data stay the same over {@link #restart}, and are gone with {@link #close}. Indexes
 * are made when they are written to. What it has acknowledged survives {@link #kill}.
 *
 * <p>When this program ends without {@link #close}, even by SIGKILL, the server is ended within
 * seconds. It runs on this program's class path, on which {@code opensearch}, {@code
 * transport-netty4-client} and {@code log4j-core} have to be, and needs about 400 MB. Safe for use
 * by several threads; every wait is bounded. All methods throw {@link DevServiceException} when the
 * server does not do what was asked.
 */
public final class OpenSearchServer extends JavaServer {
  private static final Kind KIND =
      new Kind("OpenSearch", OpenSearchMain.class, OpenSearchMain.READY_FILE, "384m");

  private OpenSearchServer(ServerHome home) {
    super(home, KIND);
  }

  /**
   * Starts a server on a temporary directory and a free port, and returns when it serves clients.
   *
   * @throws DevServiceException when it does not start; nothing is left running
   */
  public static OpenSearchServer start() {
    ServerHome home = ServerHome.acquire(null, "holdfast-opensearch-");
    return home.releasedUnless(
        () -> {
          OpenSearchServer server = new OpenSearchServer(home);
          server.launch();
          return server;
        });
  }

  /** Returns where it is asked, without a slash at the end. */
  public URI uri() {
    return URI.create("http://127.0.0.1:" + port());
  }
}
