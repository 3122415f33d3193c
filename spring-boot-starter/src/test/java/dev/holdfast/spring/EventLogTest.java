package dev.holdfast.spring;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.NoTransaction;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.EventLog;
import dev.holdfast.eventlog.EventTypes;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.eventlog.StreamQuery;
import dev.holdfast.eventlog.WrongExpectedVersion;
import dev.holdfast.eventlog.decider.Decider;
import dev.holdfast.eventlog.decider.Decisions;
import dev.holdfast.jackson.JacksonCodec;
import dev.holdfast.outbox.Target;
import dev.holdfast.projection.EventChannel;
import dev.holdfast.projection.FollowerState;
import dev.holdfast.projection.Projection;
import dev.holdfast.projection.Projections;
import dev.holdfast.projection.store.ProjectionStore.Version;
import dev.holdfast.spring.health.FollowerStates;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.springframework.boot.autoconfigure.EnableAutoConfiguration;
import org.springframework.boot.test.system.CapturedOutput;
import org.springframework.boot.test.system.OutputCaptureExtension;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;
import org.springframework.context.annotation.Import;
import org.springframework.jdbc.core.JdbcTemplate;
import org.springframework.jdbc.datasource.DriverManagerDataSource;
import org.springframework.test.util.ReflectionTestUtils;
import org.springframework.transaction.annotation.Transactional;

/** The event log in Spring's transactions, and what follows it as beans. */
@Tag("extended")
@ExtendWith(OutputCaptureExtension.class)
final class EventLogTest {
  private static final Duration SOON = Duration.ofSeconds(30);

  private final String schema = TestServers.unique("events_");
  private @Nullable ConfigurableApplicationContext application;

  sealed interface Event permits Placed, Shipped {}

  record Placed(String customer) implements Event {}

  record Shipped(String parcel) implements Event {}

  record Ship(String parcel) {}

  record State(boolean isShipped) {}

  static final EventTypes<Event> TYPES =
      EventTypes.of(Event.class)
          .type("placed", Placed.class)
          .type("shipped", Shipped.class)
          .build(new JacksonCodec());

  static final Decider<Ship, Event, State> SHIPPING =
      Decider.of("shipping", Ship.class, Event.class, new State(false))
          .decide(
              Ship.class,
              (state, ship) -> state.isShipped() ? List.of() : List.of(new Shipped(ship.parcel())))
          .evolve(Placed.class, (state, placed) -> state)
          .evolve(Shipped.class, (state, shipped) -> new State(true))
          .build();

  /** Streams whose first application fails behind what it has written. */
  static class Failures {
    final Set<String> once = ConcurrentHashMap.newKeySet();
    final Set<String> always = ConcurrentHashMap.newKeySet();

    void check(String stream) {
      if (always.contains(stream) || once.remove(stream)) {
        throw new IllegalStateException("not now");
      }
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  @Import({Shop.class, Failures.class})
  static class Application {
    // snippet:spring-projection
    /** Carried out as long as the application runs; rows and checkpoint are one commit. */
    @Bean
    Projection placedOrders(JdbcTemplate jdbc, Failures failures) {
      return Projection.named("placed-orders", 1)
          .streams("order-")
          .on(
              TYPES,
              Placed.class,
              (tx, placed, event) -> {
                jdbc.update(
                    "insert into placed_order (id, customer) values (?, ?)",
                    event.stream(),
                    placed.customer());
                failures.check(event.stream());
              })
          .build();
    }

    // end

    @Bean
    Decisions<Ship, Event, State> shipping(Holdfast holdfast) {
      return new Decisions<>(holdfast, SHIPPING, TYPES);
    }
  }

  @Configuration(proxyBeanMethods = false)
  @EnableAutoConfiguration
  static class Publishing {
    @Bean
    EventChannel everything(Target nowhere) {
      return EventChannel.named("everything", nowhere);
    }

    @Bean
    MeterRegistry registry() {
      return new SimpleMeterRegistry();
    }
  }

  static class Shop {
    private final JdbcTemplate jdbc;
    private final TransactionalEventLog events;
    private final Decisions<Ship, Event, State> shipping;

    Shop(JdbcTemplate jdbc, TransactionalEventLog events, Decisions<Ship, Event, State> shipping) {
      this.jdbc = jdbc;
      this.events = events;
      this.shipping = shipping;
    }

    // snippet:spring-append
    /** The row and the event are one commit: both are there, or neither. */
    @Transactional
    public long place(String order, String customer) {
      jdbc.update("insert into order_request (id) values (?)", order);
      return events
          .append(
              Append.to(
                  order,
                  ExpectedVersion.none(),
                  TYPES.write(UUID.randomUUID(), new Placed(customer))))
          .position();
    }

    // end

    @Transactional
    public void placeAndFail(String order) {
      place(order, "nobody");
      throw new IllegalArgumentException("not after all");
    }

    // snippet:spring-decide
    /** Repeated with the same command id, it changes nothing. */
    @Transactional
    public List<Event> ship(String order, UUID commandId, String parcel) {
      return events.handle(shipping, order, commandId, new Ship(parcel)).events();
    }

    // end

    @Transactional
    public boolean isShippedWithin(String order) {
      events.handle(shipping, order, UUID.randomUUID(), new Ship("p"));
      return events.state(shipping, order).state().isShipped()
          && events.read(StreamQuery.of(order)).size() == 2;
    }

    @Transactional(readOnly = true)
    public void placeReading(String order) {
      events.append(Append.to(order, ExpectedVersion.any(), EventData.json("placed", "{}")));
    }
  }

  @AfterEach
  void end() {
    if (application != null) {
      application.close();
    }
  }

  private ConfigurableApplicationContext start(Class<?> of, String... properties) {
    JdbcTemplate jdbc =
        new JdbcTemplate(new DriverManagerDataSource(TestServers.POSTGRES.jdbcUrl()));
    jdbc.execute("create table if not exists order_request (id text primary key)");
    jdbc.execute("create table if not exists placed_order (id text, customer text)");
    ConfigurableApplicationContext started = Apps.start(of, schema, "orders.*", properties);
    application = started;
    return started;
  }

  private static long rows(ConfigurableApplicationContext app, String table, String id) {
    Long rows =
        app.getBean(JdbcTemplate.class)
            .queryForObject("select count(*) from " + table + " where id = ?", Long.class, id);
    return rows == null ? -1 : rows;
  }

  @Test
  void anAppendIsPartOfTheTransactionAndGoneWithIt() throws Exception {
    ConfigurableApplicationContext app = start(Application.class);
    Shop shop = app.getBean(Shop.class);
    EventLog log = app.getBean(EventLog.class);
    String good = TestServers.unique("order-");
    String bad = TestServers.unique("order-");

    assertThatThrownBy(() -> shop.placeAndFail(bad)).isInstanceOf(IllegalArgumentException.class);
    long position = shop.place(good, "ann");

    assertThat(log.read(StreamQuery.of(good))).hasSize(1);
    assertThat(log.read(StreamQuery.of(bad))).isEmpty();
    assertThat(rows(app, "order_request", bad)).isZero();
    // Nothing of the other one is left for a projection either.
    boolean isThere =
        app.getBean(Projections.class)
            .awaitApplied("placed-orders", position, Duration.ofSeconds(30));
    assertThat(isThere).isTrue();
    assertThat(rows(app, "placed_order", good)).isOne();
    assertThat(rows(app, "placed_order", bad)).isZero();

    assertThatThrownBy(() -> shop.placeReading(TestServers.unique("order-")))
        .isInstanceOf(NoTransaction.class);
    assertThatThrownBy(
            () ->
                app.getBean(TransactionalEventLog.class)
                    .append(Append.to(good, ExpectedVersion.any(), EventData.json("placed", "{}"))))
        .isInstanceOf(NoTransaction.class);
    assertThat(log.read(StreamQuery.of(good))).hasSize(1);
  }

  @Test
  void aDecisionIsMadeInTheTransaction() {
    ConfigurableApplicationContext app = start(Application.class);
    Shop shop = app.getBean(Shop.class);
    String order = TestServers.unique("order-");
    shop.place(order, "ann");
    UUID command = UUID.randomUUID();
    assertThat(shop.ship(order, command, "p-1")).containsExactly(new Shipped("p-1"));
    assertThat(shop.ship(order, command, "p-2")).containsExactly(new Shipped("p-1"));
    assertThat(shop.ship(order, UUID.randomUUID(), "p-3")).isEmpty();
    String other = TestServers.unique("order-");
    shop.place(other, "bob");
    assertThat(shop.isShippedWithin(other)).isTrue();
    assertThatThrownBy(
            () ->
                app.getBean(EventLog.class)
                    .append(
                        Append.to(other, ExpectedVersion.none(), EventData.json("placed", "{}"))))
        .isInstanceOf(WrongExpectedVersion.class);
  }

  @Test
  void whatAProjectionWritesByJdbcTemplateIsInTheCommitOfItsCheckpoint() throws Exception {
    ConfigurableApplicationContext app = start(Application.class);
    Shop shop = app.getBean(Shop.class);
    Projections projections = app.getBean(Projections.class);
    Failures failures = app.getBean(Failures.class);
    String order = TestServers.unique("order-");
    failures.once.add(order);
    assertThat(projections.awaitApplied("placed-orders", shop.place(order, "ann"), SOON)).isTrue();
    assertThat(failures.once).isEmpty();
    // Else the row of the attempt that failed would be there as well.
    assertThat(rows(app, "placed_order", order)).isOne();

    String parked = TestServers.unique("order-");
    failures.always.add(parked);
    assertThat(projections.awaitApplied("placed-orders", shop.place(parked, "bob"), SOON)).isTrue();
    assertThat(projections.parked("placed-orders", 1))
        .singleElement()
        .satisfies(each -> assertThat(each.key()).isEqualTo(parked));
    assertThat(rows(app, "placed_order", parked)).isZero();
    assertThatThrownBy(() -> projections.replay("placed-orders", 1, parked))
        .isInstanceOf(IllegalStateException.class);
    assertThat(rows(app, "placed_order", parked)).isZero();
    failures.always.clear();
    assertThat(projections.askReplay("placed-orders", 1, parked)).isTrue();
    await().atMost(SOON).until(() -> projections.parked("placed-orders", 1).isEmpty());
    assertThat(rows(app, "placed_order", parked)).isOne();
  }

  @Test
  void projectionsEndWithTheApplicationAndAreNotBegunWhereTheyAreSwitchedOff() throws Exception {
    ConfigurableApplicationContext app =
        start(Application.class, "holdfast.projections.enabled=false");
    String order = TestServers.unique("order-");
    long position = app.getBean(Shop.class).place(order, "ann");
    assertThat(app.getBean(FollowerStates.class).get()).isEmpty();
    assertThat(
            app.getBean(Projections.class)
                .awaitApplied("placed-orders", position, Duration.ofMillis(200)))
        .isFalse();
    assertThat(app.getBean(EventFollowers.class).isRunning()).isFalse();
    app.close();

    ConfigurableApplicationContext other = start(Application.class, "holdfast.relay.enabled=false");
    assertThat(other.getBean(Projections.class).awaitApplied("placed-orders", position, SOON))
        .isTrue();
    FollowerStates states = other.getBean(FollowerStates.class);
    assertThat(states.get())
        .containsExactly(new FollowerState(new Version("placed-orders", 1), 1, 1, null));
    assertThat(shown(other)).contains("UP", "projection placed-orders/1", "led=1");
    other.close();
    assertThat(states.get()).isEmpty();
  }

  @Test
  void aChannelThatCannotGoOnIsShownInTheHealthAndInTheMeters() {
    ConfigurableApplicationContext app = start(Publishing.class, "holdfast.relay.enabled=false");
    await().atMost(SOON).until(() -> shown(app).contains("problem"));
    assertThat(shown(app)).contains("DOWN", "channel/everything/1", "nothing to reach");
    app.getBean(EventLog.class)
        .append(Append.to("s", ExpectedVersion.any(), EventData.json("placed", "{}")));
    MeterRegistry registry = app.getBean(MeterRegistry.class);
    assertThat(
            registry
                .get("holdfast.projection.takeovers")
                .tag("projection", "channel/everything")
                .counter()
                .count())
        .isPositive();
    await()
        .atMost(SOON)
        .until(() -> registry.get("holdfast.projection.behind.events").gauge().value() == 1);
  }

  /** In either version of Spring Boot. */
  private static String shown(ConfigurableApplicationContext app) {
    return String.valueOf(
        ReflectionTestUtils.<Object>invokeMethod(app.getBean("holdfastHealthIndicator"), "health"));
  }

  @Test
  void whatIsConfiguredWronglyFailsTheStart(CapturedOutput output) {
    assertThatThrownBy(() -> start(Apps.Plain.class, "holdfast.projections.batch=0"))
        .hasStackTraceContaining("batch is 0, and must be 1 to 10000");
    assertThat(output).contains("APPLICATION FAILED TO START", "batch is 0");
    assertThatThrownBy(() -> start(Apps.Plain.class, "holdfast.projections.bach=1"))
        .isInstanceOf(Exception.class);
    assertThat(output).contains("holdfast.projections.batch");
  }
}
