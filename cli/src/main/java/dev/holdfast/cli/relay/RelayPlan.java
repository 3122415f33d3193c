package dev.holdfast.cli.relay;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.cli.Credentials;
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
    DatabaseOptions.Address address,
    Map<String, Object> kafka,
    List<Channel> channels,
    RelaySettings settings,
    @Nullable Integer healthPort) {

  private static final String BOOTSTRAP = "bootstrap.servers";

  /** As {@link dev.holdfast.outbox.ChannelConfig}, without the target. */
  record Channel(String name, List<String> topics, boolean plain) {}

  /** What the command line says. */
  record Arguments(
      @Nullable String database,
      String schema,
      @Nullable String kafka,
      String channel,
      List<String> topics,
      @Nullable Integer healthPort) {}

  static RelayPlan of(
      RelayConfig file, Arguments arguments, boolean embedded, Map<String, String> environment) {
    if (embedded && (arguments.database() != null || arguments.kafka() != null)) {
      throw new InvalidConfiguration(
          "--embedded starts servers of its own and does not go with --database and --kafka."
              + " Nothing was started. Leave one or the other out.");
    }
    Map<String, Object> kafka = new HashMap<>();
    if (file.kafka() != null) {
      kafka.putAll(file.kafka());
    }
    if (arguments.kafka() != null) {
      kafka.put(BOOTSTRAP, arguments.kafka());
    }
    if (!embedded && !kafka.containsKey(BOOTSTRAP)) {
      throw RelayCommand.missing("Kafka", "--kafka HOST:PORT");
    }
    Integer fromFile = file.health() == null ? null : file.health().port();
    return new RelayPlan(
        embedded
            ? new DatabaseOptions.Address("", null, null, arguments.schema())
            : address(file.database(), arguments, environment),
        kafka,
        channels(file.channels(), arguments),
        settings(file.relay()),
        arguments.healthPort() == null ? fromFile : arguments.healthPort());
  }

  private static DatabaseOptions.Address address(
      RelayConfig.@Nullable Database file, Arguments arguments, Map<String, String> environment) {
    String url = arguments.database();
    String user = environment.get("HOLDFAST_USER");
    String password = environment.get("HOLDFAST_PASSWORD");
    String schema = arguments.schema();
    if (file != null) {
      url = url == null ? file.url() : url;
      user = file.user() == null ? user : file.user();
      password = file.password() == null ? password : file.password();
      schema = file.schema() == null || !schema.equals("holdfast") ? schema : file.schema();
    }
    url = url == null ? environment.get("HOLDFAST_DATABASE") : url;
    if (url == null) {
      throw RelayCommand.missing("database", "--database jdbc:postgresql://HOST:PORT/NAME");
    }
    return DatabaseOptions.of(url, user, password, schema);
  }

  private static List<Channel> channels(
      @Nullable Map<String, RelayConfig.Channel> file, Arguments arguments) {
    if (file == null || file.isEmpty() || !arguments.topics().isEmpty()) {
      List<String> topics = arguments.topics().isEmpty() ? List.of("*") : arguments.topics();
      return List.of(new Channel(arguments.channel(), topics, false));
    }
    return file.entrySet().stream()
        .map(
            entry -> {
              RelayConfig.Channel channel = entry.getValue();
              List<String> topics = channel == null ? null : channel.topics();
              boolean plain = channel != null && Boolean.TRUE.equals(channel.plain());
              return new Channel(
                  entry.getKey(), Objects.requireNonNullElse(topics, List.of("*")), plain);
            })
        .toList();
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

  /** The same, at servers that have just been started. */
  RelayPlan at(String jdbcUrl, String bootstrapServers) {
    Map<String, Object> servers = new HashMap<>(kafka);
    servers.put(BOOTSTRAP, bootstrapServers);
    return new RelayPlan(
        new DatabaseOptions.Address(jdbcUrl, null, null, address.schema()),
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
