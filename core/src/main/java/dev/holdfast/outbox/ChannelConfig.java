package dev.holdfast.outbox;

import dev.holdfast.InvalidConfiguration;
import java.util.List;
import java.util.regex.Pattern;

/**
 * A channel as a process configures it.
 *
 * @param name 1 to 100 of the characters {@code A-Z a-z 0-9 . _ -}
 * @param patterns topics, in which {@code *} stands for any characters; at least one
 */
public record ChannelConfig(String name, Target target, List<String> patterns) {
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9._-]{1,100}");
  private static final Pattern TOPICS = Pattern.compile("[A-Za-z0-9._*-]{1,249}");

  public ChannelConfig {
    patterns = List.copyOf(patterns);
    if (!NAME.matcher(name).matches()) {
      throw new InvalidConfiguration(
          "The channel name '"
              + name
              + "' is not 1 to 100 of the characters A-Z a-z 0-9 . _ - so nothing was started.");
    }
    if (patterns.isEmpty()) {
      throw new InvalidConfiguration(
          "Channel " + name + " takes no topics, so nothing was started. Name at least one.");
    }
    for (String pattern : patterns) {
      if (!TOPICS.matcher(pattern).matches()) {
        throw new InvalidConfiguration(
            "'"
                + pattern
                + "' of channel "
                + name
                + " is not a topic of 1 to 249 of the characters A-Z a-z 0-9 . _ - and * for any"
                + " characters, so nothing was started.");
      }
    }
  }
}
