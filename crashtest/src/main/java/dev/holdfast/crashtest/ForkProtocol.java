package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.CommitPoint;
import dev.holdfast.crashtest.report.Fault;
import dev.holdfast.crashtest.report.Phase;
import dev.holdfast.crashtest.report.Stage;
import dev.holdfast.crashtest.resource.Change;
import dev.holdfast.crashtest.resource.Role;
import dev.holdfast.crashtest.resource.Site;
import java.net.URLDecoder;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the lab and a forked JVM talk: lines of words on its standard input and output, each word
 * encoded as in a URL. What the process is about to commit is told before it does, so that the lab
 * knows how far it came however it dies.
 */
final class ForkProtocol {
  /** To the process: a line of each kind, then {@link #BEGIN}. */
  static final String SOURCE = "source";

  static final String SHARE = "share";
  static final String FAULT = "fault";
  static final String BEGIN = "begin";

  /** To the process, once begun. */
  static final String ENTER = "enter";

  static final String ATTEMPT = "attempt";
  static final String IDLE = "idle";
  static final String SETTLE = "settle";
  static final String STOP = "stop";

  /** To the lab, in answer. */
  static final String ENDED = "ended";

  static final String DONE = "done";

  /** To the lab, at any time. */
  static final String BEGUN = "begun";

  static final String STRUCK = "struck";
  static final String COMPLETED = "completed";
  static final String NOTE = "note";
  static final String PROBLEM = "problem";

  private ForkProtocol() {}

  static String line(Object... words) {
    List<String> encoded = new ArrayList<>();
    for (Object word : words) {
      // Nothing at all could not be told from the space around it.
      encoded.add("." + URLEncoder.encode(String.valueOf(word), StandardCharsets.UTF_8));
    }
    return String.join(" ", encoded);
  }

  static List<String> words(String line) {
    return Arrays.stream(line.split(" "))
        .map(word -> URLDecoder.decode(word.substring(1), StandardCharsets.UTF_8))
        .toList();
  }

  static String point(CommitPoint point) {
    List<Object> words = new ArrayList<>();
    Role role = point.role();
    words.add(point.phase());
    words.addAll(List.of(role.resource(), role.action(), role.detail(), role.thread()));
    words.add(point.occurrence());
    words.add(site(point.site()));
    words.add(point.deferred());
    for (Change change : point.changes()) {
      words.add(change.what());
      words.add(site(change.site()));
    }
    return line(words.toArray());
  }

  static CommitPoint point(String text) {
    List<String> words = words(text);
    List<Change> changes = new ArrayList<>();
    for (int i = 8; i < words.size(); i += 2) {
      changes.add(new Change(words.get(i), toSite(words.get(i + 1))));
    }
    return new CommitPoint(
        Phase.valueOf(words.get(0)),
        new Role(words.get(1), words.get(2), words.get(3), words.get(4)),
        Integer.parseInt(words.get(5)),
        toSite(words.get(6)),
        changes,
        Boolean.parseBoolean(words.get(7)));
  }

  private static String site(Site site) {
    return line(site.declaringClass(), site.method(), site.file(), site.line());
  }

  private static Site toSite(String text) {
    List<String> words = words(text);
    return new Site(words.get(0), words.get(1), words.get(2), Integer.parseInt(words.get(3)));
  }

  static String fault(Fault fault) {
    CommitPoint point = fault.point();
    return line(fault.stage(), fault.number(), point == null ? "" : point(point));
  }

  static Fault fault(String text) {
    List<String> words = words(text);
    @Nullable CommitPoint point = words.get(2).isEmpty() ? null : point(words.get(2));
    return new Fault(Stage.valueOf(words.get(0)), point, Integer.parseInt(words.get(1)));
  }

  static String ended(Life.Ended ended) {
    return line(ENDED, ended.how(), ended.thrown(), ended.refused());
  }

  static Life.Ended ended(List<String> words) {
    return new Life.Ended(
        Life.How.valueOf(words.get(1)), words.get(2), Boolean.parseBoolean(words.get(3)), null);
  }
}
