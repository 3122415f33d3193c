package dev.holdfast.micrometer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import dev.holdfast.Holdfast;
import dev.holdfast.Stepper;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.devservices.PostgresServer;
import dev.holdfast.eventlog.Append;
import dev.holdfast.eventlog.EventData;
import dev.holdfast.eventlog.ExpectedVersion;
import dev.holdfast.projection.Projection;
import dev.holdfast.projection.ProjectionListener;
import dev.holdfast.projection.ProjectionSettings;
import dev.holdfast.projection.Projections;
import dev.holdfast.projection.store.ProjectionStore.Version;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.sql.SQLException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.postgresql.ds.PGSimpleDataSource;

/** What follows the event log, in meters. */
final class ProjectionMetersTest {
  private static final Duration BOUND = Duration.ofSeconds(30);

  private final MeterRegistry registry = new SimpleMeterRegistry();

  private static double gauge(MeterRegistry registry, String name) {
    return registry
        .get("holdfast.projection." + name)
        .tags("projection", "orders", "version", "1")
        .gauge()
        .value();
  }

  private double count(String name) {
    return registry.get("holdfast.projection." + name).counter().count();
  }

  private static long append(Holdfast holdfast, String stream, String body) {
    return holdfast
        .eventLog()
        .append(Append.to(stream, ExpectedVersion.any(), EventData.json("placed", body)))
        .position();
  }

  @Test
  void whatIsAppliedAndParkedAndHowFarItIsBehindShowInTheMeters() throws Exception {
    Projection projection =
        Projection.named("orders", 1)
            .on(
                "placed",
                (tx, event) -> {
                  if (event.text().equals("\"bad\"")) {
                    throw new IllegalStateException("bad");
                  }
                })
            .build();
    ProjectionSettings settings = ProjectionSettings.DEFAULT.withAttempts(1, Duration.ofMillis(1));
    try (PostgresServer postgres = PostgresServer.start()) {
      PGSimpleDataSource dataSource = new PGSimpleDataSource();
      dataSource.setUrl(postgres.jdbcUrl());
      try (Stepper stepper = Holdfast.on(dataSource).manual()) {
        Holdfast holdfast = stepper.holdfast();
        // snippet:projection-meters
        ProjectionMeters meters = new ProjectionMeters(registry);
        Projections projections = Projections.start(holdfast, settings, meters, projection);
        meters.observe(holdfast, projection);
        // end
        try (projections) {
          append(holdfast, "a", "\"good\"");
          append(holdfast, "b", "\"bad\"");
          long last = append(holdfast, "c", "\"good\"");
          assertThat(projections.awaitApplied("orders", last, BOUND)).isTrue();
          await().atMost(BOUND).until(() -> count("events") == 2);
          assertThat(count("parkings")).isEqualTo(1);
          assertThat(count("takeovers")).isEqualTo(1);
          assertThat(registry.get("holdfast.projection.batch").timer().count()).isPositive();
        }
        append(holdfast, "a", "\"late\"");
        append(holdfast, "a", "\"later\"");
        MeterRegistry fresh = new SimpleMeterRegistry();
        new ProjectionMeters(fresh)
            .observe(
                holdfast.store().projections()::status,
                List.of(new Version("orders", 1), new Version("nobody", 1)),
                Duration.ZERO);
        assertThat(gauge(fresh, "behind.events")).isEqualTo(2);
        assertThat(gauge(fresh, "behind")).isPositive();
        assertThat(gauge(fresh, "parked")).isEqualTo(1);
        assertThat(
                fresh.get("holdfast.projection.parked").tag("projection", "nobody").gauge().value())
            .isNaN();
        assertThat(gauge(registry, "parked")).isEqualTo(1);
      }
    }
  }

  @Test
  void aDatabaseThatDoesNotAnswerHasNoFigures() {
    new ProjectionMeters(registry)
        .observe(
            version -> {
              throw new StoreUnavailable("down", new SQLException());
            },
            List.of(new Version("orders", 1)),
            Duration.ZERO);
    assertThat(gauge(registry, "behind")).isNaN();
  }

  @Test
  void aListenerThatThrowsDisturbsNeitherTheWorkNorTheOthers() {
    ProjectionListener broken =
        new ProjectionListener() {
          @Override
          public void takenUp(Version of, int slot) {
            throw new IllegalStateException("taken up");
          }

          @Override
          public void applied(Version of, int slot, int events, Duration took) {
            throw new IllegalStateException("applied");
          }

          @Override
          public void parked(Version of, int slot, String key, long position, String reason) {
            throw new IllegalStateException("parked");
          }
        };
    ProjectionListener all =
        ProjectionListener.all(List.of(broken, new ProjectionMeters(registry)));
    Version version = new Version("orders", 1);
    all.takenUp(version, 0);
    all.applied(version, 0, 3, Duration.ofMillis(2));
    all.parked(version, 0, "k", 7, "why");
    assertThat(count("takeovers")).isEqualTo(1);
    assertThat(count("events")).isEqualTo(3);
    assertThat(count("parkings")).isEqualTo(1);
  }
}
