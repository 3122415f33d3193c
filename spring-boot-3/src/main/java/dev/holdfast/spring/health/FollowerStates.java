package dev.holdfast.spring.health;

import dev.holdfast.projection.FollowerState;
import java.util.List;
import java.util.function.Supplier;

/** What this process does for projections and channels of events: a bean that both ask. */
@FunctionalInterface
public interface FollowerStates extends Supplier<List<FollowerState>> {}
