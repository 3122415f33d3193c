package dev.holdfast.devservices;

/**
 * An ActiveMQ Artemis server, a broker for JMS, in a child process of this program, which can be
 * crashed, paused and started again. It listens on 127.0.0.1 only, and lets everybody in.
 *
 * <p>Port and data stay the same over {@link #restart}, and are gone with {@link #close}. Queues
 * are made when they are used, except those whose names begin with {@link #NOT_CREATED}. A message
 * that was rolled back ten times goes to the queue {@link #DEAD_LETTERS}.
 *
 * <p>When this program ends without {@link #close}, even by SIGKILL, the server is ended within
 * seconds. It runs on this program's class path, on which {@code artemis-jakarta-server} has to be,
 * and needs about 150 MB. Safe for use by several threads; every wait is bounded. All methods throw
 * {@link DevServiceException} when the server does not do what was asked.
 */
public final class ArtemisServer extends JavaServer {
  /** How the names of queues begin that are not made by being used. */
  public static final String NOT_CREATED = "missing.";

  /** The queue of messages that were rolled back too often. */
  public static final String DEAD_LETTERS = "dead.letters";

  private static final Kind KIND =
      new Kind("Artemis", ArtemisMain.class, ArtemisMain.READY_FILE, "256m");

  private ArtemisServer(ServerHome home) {
    super(home, KIND);
  }

  /**
   * Starts a server on a temporary directory and a free port, and returns when it serves clients.
   *
   * @throws DevServiceException when it does not start; nothing is left running
   */
  public static ArtemisServer start() {
    ServerHome home = ServerHome.acquire(null, "holdfast-artemis-");
    return home.releasedUnless(
        () -> {
          ArtemisServer server = new ArtemisServer(home);
          server.launch();
          return server;
        });
  }

  /** Returns the URL for Artemis' own connection factory. */
  public String url() {
    return "tcp://127.0.0.1:" + port();
  }
}
