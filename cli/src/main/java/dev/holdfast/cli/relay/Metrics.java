package dev.holdfast.cli.relay;

import dev.holdfast.outbox.RelayPhase;
import dev.holdfast.outbox.RelayStatus;
import dev.holdfast.outbox.store.ChannelStatus;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * The figures in Prometheus's text form (<a
 * href="https://prometheus.io/docs/instrumenting/exposition_formats/">exposition formats</a>,
 * version 0.0.4).
 */
final class Metrics {
  static final String CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

  private Metrics() {}

  static String text(List<RelayStatus> here, List<ChannelStatus> channels) {
    StringBuilder text = new StringBuilder();
    family(
        text,
        "holdfast_lag_messages",
        "gauge",
        "Messages not yet delivered, counted up to " + ChannelStatus.LAG_BOUND + ".",
        channels,
        ChannelStatus::name,
        channel -> Long.toString(channel.lagMessages()));
    family(
        text,
        "holdfast_lag_seconds",
        "gauge",
        "Age of the oldest message not yet delivered.",
        channels,
        ChannelStatus::name,
        channel -> String.format(Locale.ROOT, "%.3f", channel.lag().toMillis() / 1000.0));
    family(
        text,
        "holdfast_parked_keys",
        "gauge",
        "Keys that are held back.",
        channels,
        ChannelStatus::name,
        channel -> Long.toString(channel.parkedLanes()));
    family(
        text,
        "holdfast_leader",
        "gauge",
        "1 when this process leads the channel.",
        here,
        RelayStatus::channel,
        channel -> channel.phase() == RelayPhase.LEADING ? "1" : "0");
    family(
        text,
        "holdfast_delivered_total",
        "counter",
        "Messages delivered by this process.",
        here,
        RelayStatus::channel,
        channel -> Long.toString(channel.delivered()));
    return text.toString();
  }

  private static <T> void family(
      StringBuilder text,
      String name,
      String type,
      String help,
      List<T> items,
      Function<T, String> channel,
      Function<T, String> value) {
    text.append("# HELP ").append(name).append(' ').append(help).append('\n');
    text.append("# TYPE ").append(name).append(' ').append(type).append('\n');
    for (T item : items) {
      // A channel's name has no character that would need an escape.
      text.append(name)
          .append("{channel=\"")
          .append(channel.apply(item))
          .append("\"} ")
          .append(value.apply(item))
          .append('\n');
    }
  }
}
