package dev.holdfast.eventlog;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;

/**
 * Events by tags and types: one that matches any of the items.
 *
 * @param items 1 to 20
 */
public record EventQuery(List<Item> items) {
  private static final int MOST = 20;

  /**
   * @throws InvalidEvent when it is out of its bounds
   */
  public EventQuery {
    items = List.copyOf(items);
    if (items.isEmpty() || items.size() > MOST) {
      throw new InvalidEvent(
          "A query has %d items, and must have 1 to %d. Nothing was done."
              .formatted(items.size(), MOST));
    }
  }

  /** Events that have all of these tags, of whatever type. */
  public static EventQuery tags(String... tags) {
    return new EventQuery(List.of(new Item(new TreeSet<>(List.of(tags)), Set.of())));
  }

  /** The same, and events that have all of these tags. */
  public EventQuery orTags(String... tags) {
    List<Item> more = new ArrayList<>(items);
    more.add(new Item(new TreeSet<>(List.of(tags)), Set.of()));
    return new EventQuery(more);
  }

  /** The same, whose last item takes events of these types alone. */
  public EventQuery ofTypes(String... types) {
    List<Item> same = new ArrayList<>(items);
    Item last = same.remove(same.size() - 1);
    same.add(new Item(last.tags(), new TreeSet<>(List.of(types))));
    return new EventQuery(same);
  }

  /**
   * Events that have all of the tags and are of one of the types.
   *
   * @param tags 1 to 20; a condition without one would have everybody wait for everybody
   * @param types 20 at most; none for any
   */
  public record Item(Set<String> tags, Set<String> types) {
    /**
     * @throws InvalidEvent when it is out of its bounds
     */
    public Item {
      if (tags.isEmpty() || tags.size() > EventData.MOST_TAGS || types.size() > 20) {
        throw new InvalidEvent(
            "An item of a query has %d tags and %d types, and must have 1 to %d tags, and 20 types at most. Nothing was done."
                .formatted(tags.size(), types.size(), EventData.MOST_TAGS));
      }
      tags.forEach(tag -> EventData.requireName("A tag", tag));
      types.forEach(type -> EventData.requireName("The type of an event", type));
      tags = Collections.unmodifiableSet(new TreeSet<>(tags));
      types = Collections.unmodifiableSet(new TreeSet<>(types));
    }
  }
}
