package dev.holdfast.postgres.reservation;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.crashtest.Attacks;
import dev.holdfast.crashtest.StoreClock;
import dev.holdfast.reservation.Reservation;
import dev.holdfast.reservation.ReservationMismatch;
import dev.holdfast.reservation.ReservationRefused;
import dev.holdfast.reservation.ReservationState;
import dev.holdfast.reservation.ReserveResult;
import dev.holdfast.reservation.ReserveResult.Insufficient;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Random steps, some of which are rolled back, over several stocks, while time passes: what the
 * database says is what a model says that knows no stripes, no changes and no batches.
 */
final class RandomStepsTest {
  private static final int STEPS = 400;
  private static final List<String> STOCKS = List.of("a", "b", "ç");
  private static final Duration HOLD = Duration.ofMinutes(10);

  private final Stocks stocks = new Stocks();
  private StoreClock clock;

  /** How many units each stock has. */
  private final Map<String, Long> capacity = new HashMap<>();

  private final Map<String, Held> reservations = new HashMap<>();

  /** What has become of one. */
  private static final class Held {
    final Reservation content;
    ReservationState state;
    Duration left = HOLD;
    Map<String, Long> taken;

    Held(Reservation content, ReservationState state) {
      this.content = content;
      this.state = state;
      this.taken = state == ReservationState.HELD ? content.quantities() : Map.of();
    }
  }

  @BeforeEach
  void begin() {
    clock = StoreClock.of(Stocks.dataSource(), stocks.schema);
  }

  @AfterEach
  void end() {
    clock.close();
    stocks.close();
  }

  @ParameterizedTest(name = "seed {0}")
  @ValueSource(longs = {1, 2, 3, 4})
  @Attacks({"reservation.never-oversold", "reservation.once"})
  void databaseAndModelAgree(long seed) throws SQLException {
    Random random = new Random(seed);
    for (String stock : STOCKS) {
      capacity.put(stock, 20L);
      stocks.with(stock, 20, 1 + random.nextInt(5));
    }
    for (int step = 0; step < STEPS; step++) {
      String id = "r" + random.nextInt(60);
      String what = "seed " + seed + ", step " + step + ", " + id;
      switch (random.nextInt(10)) {
        case 0, 1, 2, 3 -> reserve(what, id, random);
        case 4 -> confirm(what, id, random);
        case 5 -> cancel(what, id);
        case 6 -> changeCapacity(what, random);
        case 7 -> pass(Duration.ofMinutes(random.nextInt(5)));
        case 8 -> stocks.stepper.upkeep();
        default -> rolledBack(id, random);
      }
      agree(what);
    }
  }

  private long taken(String stock) {
    return reservations.values().stream()
        .mapToLong(held -> held.taken.getOrDefault(stock, 0L))
        .sum();
  }

  private void agree(String what) throws SQLException {
    StringBuilder expected = new StringBuilder();
    for (String stock : STOCKS) {
      long units = capacity.get(stock);
      expected.append(stock + " " + units + " " + (units - taken(stock)) + " 0;");
    }
    assertThat(
            stocks.word(
                """
                select string_agg(concat_ws(' ', name, capacity, ${schema}.count_stock(name), balance)
                                  || ';', '' order by name collate "C")
                from ${schema}.stock_level
                """))
        .as("%s: name, capacity, available, balance", what)
        .isEqualTo(expected.toString());
  }

  private static Reservation random(String id, Random random) {
    List<String> names = new ArrayList<>(STOCKS);
    Collections.shuffle(names, random);
    Reservation reservation = Reservation.of(id, names.get(0), 1 + random.nextInt(6));
    return (random.nextBoolean()
            ? reservation.and(names.get(1), 1 + random.nextInt(6))
            : reservation)
        .holdFor(HOLD);
  }

  private void reserve(String what, String id, Random random) {
    Held before = reservations.get(id);
    boolean same = before != null && random.nextInt(3) > 0;
    Reservation wanted = same ? before.content : random(id, random);
    ReserveResult said;
    try {
      said = stocks.reserve(wanted);
    } catch (ReservationMismatch e) {
      assertThat(before).as(what).isNotNull();
      assertThat(before.content.quantities()).as(what).isNotEqualTo(wanted.quantities());
      return;
    }
    if (before != null) {
      assertThat(said.isReserved()).as(what).isEqualTo(before.state == ReservationState.HELD);
      return;
    }
    boolean enough =
        wanted.quantities().entrySet().stream()
            .allMatch(
                each -> each.getValue() <= capacity.get(each.getKey()) - taken(each.getKey()));
    assertThat(said.isReserved()).as(what + " of " + wanted).isEqualTo(enough);
    if (enough) {
      reservations.put(id, new Held(wanted, ReservationState.HELD));
    } else {
      Insufficient insufficient = (Insufficient) said;
      assertThat(insufficient.available())
          .as(what)
          .isEqualTo(capacity.get(insufficient.stock()) - taken(insufficient.stock()));
    }
  }

  private void confirm(String what, String id, Random random) {
    Held held = reservations.get(id);
    boolean part = held != null && held.state == ReservationState.HELD && random.nextBoolean();
    Map<String, Long> some = new HashMap<>();
    if (part) {
      held.content
          .quantities()
          .forEach((stock, units) -> some.put(stock, 1 + (long) random.nextInt(units.intValue())));
    }
    boolean done;
    try {
      done =
          stocks
              .tx(
                  tx ->
                      part
                          ? stocks.reservations.confirm(tx, id, some)
                          : stocks.reservations.confirm(tx, id))
              .asAsked();
    } catch (ReservationMismatch e) {
      assertThat(held).as(what).isNotNull();
      assertThat(held.state).as(what).isEqualTo(ReservationState.CONFIRMED);
      assertThat(held.taken).as(what).isNotEqualTo(held.content.quantities());
      return;
    }
    assertThat(done)
        .as(what)
        .isEqualTo(
            held != null
                && (held.state == ReservationState.HELD
                    || held.state == ReservationState.CONFIRMED));
    if (held != null && held.state == ReservationState.HELD) {
      held.state = ReservationState.CONFIRMED;
      held.taken = part ? some : held.content.quantities();
    }
  }

  private void cancel(String what, String id) {
    Held held = reservations.get(id);
    boolean released = stocks.cancel(id).asAsked();
    assertThat(released)
        .as(what)
        .isEqualTo(held == null || held.state != ReservationState.CONFIRMED);
    if (held == null) {
      reservations.put(id, new Held(Reservation.of(id, "a", 1), ReservationState.CANCELLED));
    } else if (held.state == ReservationState.HELD) {
      held.state = ReservationState.CANCELLED;
      held.taken = Map.of();
    }
  }

  private void changeCapacity(String what, Random random) {
    String stock = STOCKS.get(random.nextInt(STOCKS.size()));
    long by = random.nextInt(9) - 4L;
    boolean fits = capacity.get(stock) + by >= taken(stock);
    try {
      long now = stocks.tx(tx -> stocks.reservations.addCapacity(tx, stock, by));
      assertThat(now).as(what).isEqualTo(capacity.get(stock) + by);
      assertThat(fits).as(what).isTrue();
      capacity.merge(stock, by, Long::sum);
    } catch (ReservationRefused e) {
      assertThat(fits).as(what).isFalse();
    }
  }

  /** Time alone expires what is held, whether anybody looks or not. */
  private void pass(Duration time) {
    clock.advance(time);
    for (Held held : reservations.values()) {
      held.left = held.left.minus(time);
      if (held.state == ReservationState.HELD && (held.left.isZero() || held.left.isNegative())) {
        held.state = ReservationState.EXPIRED;
        held.taken = Map.of();
      }
    }
  }

  private void rolledBack(String id, Random random) {
    try {
      stocks.tx(
          tx -> {
            for (Step step : Step.values()) {
              if (random.nextBoolean()) {
                step.run(stocks, tx, random(id, random));
              }
            }
            throw new IllegalStateException("rolled back");
          });
    } catch (IllegalStateException | ReservationRefused e) {
      // As it was.
    }
  }
}
