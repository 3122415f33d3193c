package dev.holdfast.jta;

import jakarta.jms.Session;
import java.nio.file.Path;
import javax.sql.XADataSource;

/** A process that halts in the midst of a transaction: no {@code finally}, no shutdown hook. */
final class HaltingMain {
  static final int HALTED = 9;

  private HaltingMain() {}

  /** The points at which it halts, seen from the first participant. */
  enum Point {
    /** Nothing is decided. */
    AFTER_PREPARE("prepare", true),

    /** It is decided, and nobody knows but the log. */
    BEFORE_COMMIT("commit", false),

    /** One participant has committed. */
    AFTER_COMMIT("commit", true);

    private final String method;
    private final boolean after;

    Point(String method, boolean after) {
      this.method = method;
      this.after = after;
    }

    XADataSource halting(XADataSource delegate) {
      return Intercepted.dataSource(
          delegate,
          (called, args, call) -> {
            if (called.equals(method) && !after) {
              Runtime.getRuntime().halt(HALTED);
            }
            Object result = call.proceed();
            if (called.equals(method)) {
              Runtime.getRuntime().halt(HALTED);
            }
            return result;
          });
    }
  }

  /** The point, the log, the databases, the broker, and table, table and queue. */
  public static void main(String[] args) throws Exception {
    XaParticipant<XaBranch> orders =
        XaParticipant.jdbc("orders", Point.valueOf(args[0]).halting(Drivers.xa(args[2])));
    XaParticipant<XaBranch> ledger = XaParticipant.jdbc("ledger", Drivers.xa(args[3]));
    XaParticipant<Session> broker = XaParticipant.jms("broker", Drivers.broker(args[4]));
    XaCommit xa =
        XaCommit.as("shop")
            .logIn(Path.of(args[1]))
            .allowTemporaryLog()
            .participants(orders, ledger, broker)
            .start();
    xa.atomically(
        tx -> {
          tx.in(orders).update("insert into " + args[5] + " (id) values ('a')");
          tx.in(ledger).update("insert into " + args[6] + " (id) values ('a')");
          Session session = tx.in(broker);
          session.createProducer(session.createQueue(args[7])).send(session.createTextMessage("a"));
        });
  }
}
