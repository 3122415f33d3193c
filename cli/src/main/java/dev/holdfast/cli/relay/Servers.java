package dev.holdfast.cli.relay;

import dev.holdfast.cli.DatabaseAddress;
import dev.holdfast.cli.DatabaseOptions;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The servers that a relay would use, for commands that only ask them.
 *
 * @param kafka the producer's settings; {@code null} when no broker is named
 */
public record Servers(DatabaseAddress address, @Nullable Map<String, Object> kafka) {

  /**
   * From a relay's file, options and the environment; options win.
   *
   * @throws dev.holdfast.InvalidConfiguration when the file cannot be read or no database is named
   */
  public static Servers of(
      @Nullable Path config,
      DatabaseOptions database,
      @Nullable String kafka,
      Map<String, String> environment) {
    RelayConfig file = config == null ? RelayConfig.EMPTY : RelayConfig.read(config);
    DatabaseAddress address =
        RelayPlan.address(
            file.database(),
            new RelayPlan.Arguments(
                database.database(), database.schema(), kafka, null, List.of(), null),
            environment);
    Map<String, Object> settings = RelayPlan.kafka(file, kafka);
    return new Servers(address, settings.isEmpty() ? null : new HashMap<>(settings));
  }

  /** For people: no setting but the database's address. */
  @Override
  public String toString() {
    return address.toString();
  }
}
