package dev.holdfast.crashtest.report;

/** Where in relation to a commit point a fault strikes. */
public enum Stage {
  /** The effect has not happened. Also the crash after the point before it. */
  BEFORE("before"),
  /** The effect has happened, and whoever asked for it was not told. */
  ACK_LOST("ack-lost"),
  /** The client library has taken it, and still holds it back when the process dies later on. */
  BUFFERED("buffered"),
  /** Everything has happened, the caller was told, and then the process dies. */
  AFTER_LAST("after-last"),
  /** Nothing dies; the operation's own answer is lost, and the caller tries again. */
  REPLY_LOST("reply-lost");

  private final String id;

  Stage(String id) {
    this.id = id;
  }

  /** The word in a replay id. */
  public String id() {
    return id;
  }

  /** The words for people, to be followed by the point, if there is one. */
  public String words() {
    return switch (this) {
      case BEFORE -> "before";
      case ACK_LOST -> "between effect and acknowledgment of";
      case BUFFERED -> "with the client library still holding back";
      case AFTER_LAST -> "after the last commit point";
      case REPLY_LOST -> "of the operation itself to its caller";
    };
  }
}
