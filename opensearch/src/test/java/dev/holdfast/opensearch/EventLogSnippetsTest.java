package dev.holdfast.opensearch;

import static org.assertj.core.api.Assertions.assertThat;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.Holdfast;
import dev.holdfast.Message;
import dev.holdfast.Stepper;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventLog;
import dev.holdfast.eventlog.EventPage;
import dev.holdfast.eventlog.EventQuery;
import dev.holdfast.eventlog.EventReader;
import dev.holdfast.eventlog.EventTypes;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.Matching;
import dev.holdfast.eventlog.RecordedEvent;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.decider.Decider;
import dev.holdfast.eventlog.decider.Decisions;
import dev.holdfast.eventlog.decider.Snapshots;
import dev.holdfast.eventlog.decider.Specification;
import dev.holdfast.jackson.JacksonCodec;
import dev.holdfast.projection.EventChannel;
import dev.holdfast.projection.EventChannels;
import dev.holdfast.projection.Projection;
import dev.holdfast.projection.ProjectionSettings;
import dev.holdfast.projection.Projections;
import java.sql.Connection;
import java.sql.ResultSet;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.UUID;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The code of {@code docs/event-log.md}. */
final class EventLogSnippetsTest {
  private final HikariDataSource pool = TestServers.pool(12);
  private final String schema = TestServers.unique("documented");
  private final Stepper stepper =
      Holdfast.on(pool).schema(schema).channel("mails", new NowhereTarget(), "mails.*").manual();
  private final Holdfast holdfast = stepper.holdfast();
  private final EventLog log = holdfast.eventLog();

  // snippet:eventlog-decider
  sealed interface Command {}

  record Place(int cents) implements Command {}

  record Ship(String parcel) implements Command {}

  sealed interface Event {}

  record Placed(int cents) implements Event {}

  record Shipped(String parcel) implements Event {}

  record Order(int cents, boolean isShipped) {}

  static final Decider<Command, Event, Order> ORDERS =
      Decider.of("orders", Command.class, Event.class, new Order(0, false))
          .decide(Place.class, (order, place) -> List.of(new Placed(place.cents())))
          .decide(
              Ship.class,
              (order, ship) -> {
                if (order.cents() == 0) {
                  throw new IllegalStateException("nothing is placed");
                }
                return order.isShipped() ? List.of() : List.of(new Shipped(ship.parcel()));
              })
          .evolve(Placed.class, (order, placed) -> new Order(placed.cents(), false))
          .evolve(Shipped.class, (order, shipped) -> new Order(order.cents(), true))
          .build(); // refuses while a command or an event is handled by nobody
  // end

  // snippet:eventlog-types
  static final EventTypes<Event> TYPES =
      EventTypes.of(Event.class)
          .type("order.placed", 2, Placed.class)
          .type("order.shipped", Shipped.class)
          .renamed("order.bought", "order.placed")
          .upcast("order.placed", 1, json -> json.replace("amount", "cents"))
          .build(new JacksonCodec());

  // end

  @BeforeEach
  void createTables() throws Exception {
    execute("create table " + schema + ".open_order (id text primary key, cents integer)");
  }

  @AfterEach
  void end() {
    stepper.close();
    pool.close();
  }

  private void execute(String sql) throws Exception {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  private List<String> openOrders() throws Exception {
    try (Connection connection = pool.getConnection();
        Statement statement = connection.createStatement();
        ResultSet rows =
            statement.executeQuery(
                "select id || '=' || cents from " + schema + ".open_order order by id")) {
      List<String> all = new ArrayList<>();
      while (rows.next()) {
        all.add(rows.getString(1));
      }
      return all;
    }
  }

  @Test
  void appendsAndReads() throws Exception {
    String order = "order-1";
    UUID id = UUID.randomUUID();
    // snippet:eventlog-append
    holdfast.transact(
        tx -> {
          EventData placed = EventData.json(id, "order.placed", "{\"cents\": 100}");
          log.append(tx, Append.to(order, ExpectedVersion.none(), placed));
          // and whatever else belongs to it: rows, messages, a workflow's start
        });
    List<RecordedEvent> all = log.read(StreamQuery.of(order));
    List<RecordedEvent> then = log.read(StreamQuery.of(order).asOfTime(Instant.now()));
    // end
    assertThat(all).hasSize(1);
    assertThat(then.size()).isLessThanOrEqualTo(1);
    // snippet:eventlog-condition
    Matching known = log.read(EventQuery.tags("course:17", "student:4"));
    if (known.events().isEmpty()) {
      EventData joined = EventData.json("joined", "{}").withTags("course:17", "student:4");
      log.append(Append.to("course-17", ExpectedVersion.any(), joined).onlyIf(known.condition()));
    }
    // end
    assertThat(log.read(EventQuery.tags("course:17")).events()).hasSize(1);
    long checkpoint = 0;
    List<String> seen = new ArrayList<>();
    // snippet:eventlog-reader
    EventReader reader = log.reader(checkpoint);
    EventPage page = reader.next(500, Duration.ofSeconds(1));
    for (RecordedEvent event : page.events()) {
      seen.add(event.type());
    }
    long next = page.checkpoint(); // keep it in the commit of what the events have led to
    // end
    assertThat(seen).containsExactly("order.placed", "joined");
    assertThat(next).isGreaterThan(checkpoint);
  }

  @Test
  void decides() {
    // snippet:eventlog-decide
    Decisions<Command, Event, Order> orders = new Decisions<>(holdfast, ORDERS, TYPES);
    UUID commandId = UUID.randomUUID(); // of the request: repeated, it changes nothing
    var placed = orders.handle("order-1", commandId, new Place(100));
    Order now = orders.state("order-1").state();
    // end
    assertThat(orders.handle("order-1", commandId, new Place(100)).events())
        .isEqualTo(placed.events());
    assertThat(now).isEqualTo(new Order(100, false));
    // snippet:eventlog-snapshots
    Decisions<Command, Event, Order> longLived =
        orders.keeping(Snapshots.of(1, Order.class, new JacksonCodec()).every(200));
    // end
    assertThat(longLived.state("order-1").state()).isEqualTo(now);
    // snippet:eventlog-specification
    Specification.of(ORDERS).given(new Placed(100)).when(new Ship("p-1")).then(new Shipped("p-1"));
    Specification.of(ORDERS).when(new Ship("p-1")).thenRefused(IllegalStateException.class);
    // end
  }

  @Test
  void projects() throws Exception {
    Decisions<Command, Event, Order> orders = new Decisions<>(holdfast, ORDERS, TYPES);
    // snippet:eventlog-projection
    Projection openOrders =
        Projection.named("open-orders", 1)
            .streams("order-")
            .on(
                TYPES,
                Placed.class,
                (tx, placed, event) -> {
                  tx.update(
                      "insert into " + schema + ".open_order values (?, ?)",
                      event.stream(),
                      placed.cents());
                  // A reaction: recorded with the row and the checkpoint, so once.
                  tx.publish(Message.of("mails.thanks", event.stream(), "thanks"));
                })
            .on(
                TYPES,
                Shipped.class,
                (tx, shipped, event) ->
                    tx.update("delete from " + schema + ".open_order where id = ?", event.stream()))
            .build();
    Projections projections = Projections.start(holdfast, ProjectionSettings.DEFAULT, openOrders);
    // end
    try (projections) {
      // snippet:eventlog-await
      var placed = orders.handle("order-1", UUID.randomUUID(), new Place(100));
      projections.awaitApplied("open-orders", placed.position(), Duration.ofSeconds(5));
      // end
      assertThat(openOrders()).containsExactly("order-1=100");
      var shipped = orders.handle("order-1", UUID.randomUUID(), new Ship("p-1"));
      projections.awaitApplied("open-orders", shipped.position(), Duration.ofSeconds(5));
      assertThat(openOrders()).isEmpty();
      // snippet:eventlog-parked
      projections.parked("open-orders", 1).forEach(parked -> System.err.println(parked.reason()));
      int applied = projections.replay("open-orders", 1, "order-1"); // when it is mended
      // end
      assertThat(applied).isZero();
    }
  }

  @Test
  void searches() throws Exception {
    String name = TestServers.unique("orders");
    SearchEngine opensearch = TestServers.engine();
    Decisions<Command, Event, Order> orders = new Decisions<>(holdfast, ORDERS, TYPES);
    // snippet:eventlog-search
    SearchIndex index =
        SearchIndex.of(opensearch, name)
            .definition("{\"mappings\": {\"properties\": {\"cents\": {\"type\": \"long\"}}}}");
    index.create();
    SearchTarget target =
        SearchTarget.to(
            index,
            message -> {
              // A document has the whole state of its stream.
              String stream = Objects.requireNonNull(message.key());
              Order order = orders.state(stream).state();
              return Optional.of(
                  order.isShipped()
                      ? Document.deleted(stream)
                      : Document.of(stream, "{\"cents\": " + order.cents() + "}"));
            });
    EventChannels channels =
        EventChannels.start(
            holdfast,
            ProjectionSettings.DEFAULT,
            EventChannel.named("search", target)
                .only(event -> event.stream().startsWith("order-")));
    // end
    try (channels) {
      long placed = orders.handle("order-1", UUID.randomUUID(), new Place(100)).position();
      assertThat(channels.awaitPublished("search", placed, Duration.ofSeconds(20))).isTrue();
      assertThat(TestServers.search(name, "cents")).containsExactly("order-1={\"cents\":100}");
      long shipped = orders.handle("order-1", UUID.randomUUID(), new Ship("p-1")).position();
      assertThat(channels.awaitPublished("search", shipped, Duration.ofSeconds(20))).isTrue();
      assertThat(TestServers.search(name, "cents")).isEmpty();
    }
    // snippet:eventlog-rebuild
    SearchIndex rebuilt = index.beginRebuild();
    // A channel of another name writes the whole log to it; when it has come nearly as far:
    index.switchToRebuilt();
    // end
    assertThat(rebuilt.physical()).isEqualTo(index.physical());
  }
}
