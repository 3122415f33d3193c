package dev.holdfast.crashtest.twophase;

import static org.assertj.core.api.Assertions.assertThat;

import dev.holdfast.internal.twophase.OwnerProtocol;
import java.lang.reflect.Constructor;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The states' {@code equals} are written out. One that forgot a component would take different
 * states for one, and the checker would leave parts of the model unexplored.
 */
final class StateEqualityTest {

  @ParameterizedTest
  @ValueSource(
      classes = {
        Branch.class,
        Owner.class,
        Op.class,
        Recoverer.class,
        Sweeper.class,
        World.class,
        ClaimWorld.Claimed.class,
        ClaimWorld.Checker.class,
        ClaimWorld.Node.class,
        ClaimWorld.class
      })
  void statesThatDifferInAnyComponentAreDifferent(Class<? extends Record> type)
      throws ReflectiveOperationException {
    RecordComponent[] components = type.getRecordComponents();
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    Constructor<? extends Record> constructor = type.getDeclaredConstructor(types);
    Object[] values = Arrays.stream(types).map(each -> sample(each, false)).toArray();
    Record one = constructor.newInstance(values);

    assertThat(constructor.newInstance(values)).isEqualTo(one).hasSameHashCodeAs(one);
    for (int i = 0; i < types.length; i++) {
      Object[] changed = values.clone();
      changed[i] = sample(types[i], true);
      assertThat(constructor.newInstance(changed))
          .as("with another " + components[i].getName())
          .isNotEqualTo(one);
    }
  }

  private static Object sample(Class<?> type, boolean other) {
    if (type == boolean.class) {
      return other;
    }
    if (type == int.class) {
      return other ? 2 : 1;
    }
    if (type.isEnum()) {
      return type.getEnumConstants()[other ? 1 : 0];
    }
    if (type == Owner.class) {
      return other ? Owner.WORKING : Owner.NOT_BEGUN;
    }
    if (type == ClaimWorld.Claimed.class) {
      return new ClaimWorld.Claimed(1, 0, 0, 1, other);
    }
    if (type == ClaimWorld.Checker.class) {
      return other ? ClaimWorld.Checker.MAY_ABORT : ClaimWorld.Checker.IDLE;
    }
    if (type == List.class) {
      return other ? List.of(Branch.NONE, OwnerProtocol.State.WORKING) : List.of(Branch.NONE);
    }
    throw new IllegalArgumentException("no sample of " + type);
  }
}
