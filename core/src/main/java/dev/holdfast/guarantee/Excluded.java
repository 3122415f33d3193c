package dev.holdfast.guarantee;

import java.util.List;

/**
 * A resolution that does not apply.
 *
 * @param reasons each need that it would not meet, and each capability that is missing; one at
 *     least. All of them have to go for the resolution to apply
 */
public record Excluded(Resolution resolution, List<String> reasons) {
  public Excluded {
    reasons = List.copyOf(reasons);
  }
}
