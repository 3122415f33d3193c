package dev.holdfast.crashtest;

import dev.holdfast.Holdfast;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventTypes;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.decider.Decisions;
import dev.holdfast.eventlog.decider.Specification;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import javax.sql.DataSource;

/**
 * Carries out in the crash lab what a decider's specification says: its events are appended, its
 * command is carried out by a process that is crashed at each commit point and asks again under the
 * same command id, and the stream has to have each event once, in order.
 *
 * <pre>{@code
 * @CrashTest
 * void shipsOnce(CrashLab lab) {
 *   SpecificationLab.on("database", url).run(lab, shipping, types);
 * }
 * }</pre>
 */
public final class SpecificationLab {
  private final String resource;
  private final String url;
  private final String schema;

  private SpecificationLab(String resource, String url, String schema) {
    this.resource = resource;
    this.url = url;
    this.schema = schema;
  }

  /**
   * On a database whose schema is there.
   *
   * @param resource its name in reports
   * @param url with all that is needed to connect
   */
  public static SpecificationLab on(String resource, String url) {
    return new SpecificationLab(resource, url, "holdfast");
  }

  /** With Holdfast's tables in another schema than {@code holdfast}. */
  public SpecificationLab schema(String name) {
    return new SpecificationLab(resource, url, name);
  }

  /** Describes the scenario to the lab, which runs it. */
  public <C, E, S> void run(CrashLab lab, Specification.When<C, E, S> when, EventTypes<E> types) {
    // What is counted is asked past the process under test.
    Holdfast observer = on(Direct.to(url));
    List<String> expected = new ArrayList<>();
    when.specification()
        .given()
        .forEach(event -> expected.add(types.write(new UUID(0, 0), event).type()));
    when.events().forEach(event -> expected.add(types.write(new UUID(0, 0), event).type()));
    lab.application(
            resources -> new Handler<>(on(resources.dataSource(resource, url)), when, types))
        .given(key -> append(observer, key, when.specification().given(), types))
        .operation(Handler::handle)
        .recoveredByRetry(2)
        .expect(
            Expect.effects(resource, "event", key -> typesOf(observer, key))
                .inOrder(expected.toArray(String[]::new)));
  }

  private Holdfast on(DataSource dataSource) {
    return Holdfast.on(dataSource).schema(schema).schemaManagedElsewhere().manual().holdfast();
  }

  private static <E> void append(
      Holdfast holdfast, String key, List<E> events, EventTypes<E> types) {
    List<EventData> data =
        events.stream().map(event -> types.write(UUID.randomUUID(), event)).toList();
    if (!data.isEmpty()) {
      holdfast.eventLog().append(Append.to(stream(key), ExpectedVersion.none(), data));
    }
  }

  private static List<String> typesOf(Holdfast observer, String key) {
    return observer.eventLog().read(StreamQuery.of(stream(key))).stream()
        .map(RecordedEvent::type)
        .toList();
  }

  private static String stream(String key) {
    return "specification-" + key;
  }

  /** A process that carries the command out. */
  private static final class Handler<C, E, S> implements AutoCloseable {
    private final Holdfast holdfast;
    private final Decisions<C, E, S> decisions;
    private final C command;

    Handler(Holdfast holdfast, Specification.When<C, E, S> when, EventTypes<E> types) {
      this.holdfast = holdfast;
      this.decisions = new Decisions<>(holdfast, when.specification().decider(), types);
      this.command = when.command();
    }

    void handle(String key) {
      UUID id = UUID.nameUUIDFromBytes(key.getBytes(StandardCharsets.UTF_8));
      decisions.handle(stream(key), id, command);
    }

    @Override
    public void close() {
      holdfast.close();
    }
  }
}
