package dev.holdfast.cli.relay;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.Credentials;
import dev.holdfast.cli.DatabaseAddress;
import dev.holdfast.cli.DatabaseOptions;
import dev.holdfast.outbox.RelaySettings;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** What a relay is to do, from file, arguments and environment together. */
record RelayPlan(
    DatabaseAddress address,
    Map<String, Object> kafka,
    List<Channel> channels,
    RelaySettings settings,
    @Nullable Integer healthPort) {

  private static final String BOOTSTRAP = "bootstrap.servers";
  private static final String DEFAULT_CHANNEL = "default";

  /** As {@link dev.holdfast.outbox.ChannelConfig}, without the target. */
  record Channel(String name, List<String> topics, boolean plain) {}

  /** What the command line says; nothing of it is filled in. */
  record Arguments(
      @Nullable String database,
      @Nullable String schema,
      @Nullable String kafka,
      @Nullable String channel,
      List<String> topics,
      @Nullable Integer healthPort) {}

  static RelayPlan of(
      RelayConfig file, Arguments arguments, boolean embedded, Map<String, String> environment) {
    if (embedded && (arguments.database() != null || arguments.kafka() != null)) {
      throw new InvalidConfiguration(
          "--embedded starts servers of its own and does not go with --database and --kafka."
              + " Nothing was started. Leave one or the other out.");
    }
    Map<String, Object> kafka = kafka(file, arguments.kafka());
    if (!embedded && !kafka.containsKey(BOOTSTRAP)) {
      throw missing("Kafka", "--kafka HOST:PORT");
    }
    Integer fromFile = file.health() == null ? null : file.health().port();
    return new RelayPlan(
        embedded
            ? new DatabaseAddress("", null, null, schema(file.database(), arguments))
            : address(file.database(), arguments, environment),
        kafka,
        channels(file.channels(), arguments),
        settings(file.relay()),
        port(arguments.healthPort() == null ? fromFile : arguments.healthPort()));
  }

  static Map<String, Object> kafka(RelayConfig file, @Nullable String bootstrapServers) {
    Map<String, Object> kafka = new HashMap<>();
    if (file.kafka() != null) {
      file.kafka().forEach((name, value) -> kafka.put(name, present(name, value)));
    }
    if (bootstrapServers != null) {
      kafka.put(BOOTSTRAP, bootstrapServers);
    }
    return kafka;
  }

  private static Object present(String name, @Nullable Object value) {
    if (value == null) {
      throw new InvalidConfiguration(
          "The setting 'kafka.%s' has no value. Nothing was started. Give it one, or leave it out."
              .formatted(name));
    }
    return value;
  }

  private static @Nullable Integer port(@Nullable Integer port) {
    if (port != null && (port < 0 || port > 65_535)) {
      throw new InvalidConfiguration(
          "The health port is %d, and must be 1 to 65535, or 0 for a free one. Nothing was started."
              .formatted(port));
    }
    return port;
  }

  private static String schema(RelayConfig.@Nullable Database file, Arguments arguments) {
    String schema = arguments.schema();
    if (schema == null && file != null) {
      schema = file.schema();
    }
    return Objects.requireNonNullElse(schema, DatabaseOptions.DEFAULT_SCHEMA);
  }

  static DatabaseAddress address(
      RelayConfig.@Nullable Database file, Arguments arguments, Map<String, String> environment) {
    String url = arguments.database();
    String user = environment.get("HOLDFAST_USER");
    String password = environment.get("HOLDFAST_PASSWORD");
    if (file != null) {
      url = url == null ? file.url() : url;
      user = file.user() == null ? user : file.user();
      password = file.password() == null ? password : file.password();
    }
    url = url == null ? environment.get("HOLDFAST_DATABASE") : url;
    if (url == null) {
      throw missing("database", "--database jdbc:postgresql://HOST:PORT/NAME");
    }
    return DatabaseAddress.of(url, user, password, schema(file, arguments));
  }

  private static List<Channel> channels(
      @Nullable Map<String, RelayConfig.Channel> file, Arguments arguments) {
    String chosen = arguments.channel();
    if (file == null || file.isEmpty() || !arguments.topics().isEmpty()) {
      List<String> topics = arguments.topics().isEmpty() ? List.of("*") : arguments.topics();
      return List.of(
          new Channel(Objects.requireNonNullElse(chosen, DEFAULT_CHANNEL), topics, false));
    }
    if (chosen != null && !file.containsKey(chosen)) {
      throw new InvalidConfiguration(
          "The configuration file has no channel '%s', so nothing was started. Its channels are %s. Name one of them, or give --topics as well."
              .formatted(chosen, String.join(", ", file.keySet())));
    }
    return file.entrySet().stream()
        .filter(entry -> chosen == null || chosen.equals(entry.getKey()))
        .map(entry -> channel(entry.getKey(), entry.getValue()))
        .toList();
  }

  private static Channel channel(String name, RelayConfig.@Nullable Channel channel) {
    List<String> topics = channel == null ? null : channel.topics();
    boolean plain = channel != null && Boolean.TRUE.equals(channel.plain());
    return new Channel(name, Objects.requireNonNullElse(topics, List.of("*")), plain);
  }

  private static RelaySettings settings(RelayConfig.@Nullable Tuning tuning) {
    RelaySettings settings = RelaySettings.DEFAULT;
    if (tuning == null) {
      return settings;
    }
    if (tuning.leaseMs() != null) {
      settings = settings.withLeaseDuration(Duration.ofMillis(tuning.leaseMs()));
    }
    if (tuning.pageRecords() != null || tuning.pageBytes() != null) {
      settings =
          settings.withPage(
              Objects.requireNonNullElse(tuning.pageRecords(), settings.pageRecords()),
              Objects.requireNonNullElse(tuning.pageBytes(), settings.pageBytes()));
    }
    if (tuning.longestPollMs() != null) {
      settings = settings.withLongestPoll(Duration.ofMillis(tuning.longestPollMs()));
    }
    return settings;
  }

  private static InvalidConfiguration missing(String what, String option) {
    return new InvalidConfiguration(
        "No %s is named, so nothing was started. Give %s, or name it in the file of --config, or try --embedded."
            .formatted(what, option));
  }

  /** The same, at servers that have just been started. */
  RelayPlan at(String jdbcUrl, String bootstrapServers) {
    Map<String, Object> servers = new HashMap<>(kafka);
    servers.put(BOOTSTRAP, bootstrapServers);
    return new RelayPlan(
        new DatabaseAddress(jdbcUrl, null, null, address.schema()),
        servers,
        channels,
        settings,
        healthPort);
  }

  /** For people: no setting but the addresses. */
  @Override
  public String toString() {
    return channels.stream()
            .map(channel -> "channel " + channel.name() + " " + channel.topics())
            .collect(Collectors.joining(", "))
        + " from "
        + address
        + " to "
        + Credentials.mask(String.valueOf(kafka.get(BOOTSTRAP)));
  }
}
