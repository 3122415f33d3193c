package dev.holdfast.crashtest;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * Names the clauses of a guarantee that a test tries to break. Holdfast's own build fails for a
 * clause that no test attacks, and for a test that names none that there is.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Attacks {
  /** The ids of {@link dev.holdfast.guarantee.Clause clauses}. */
  String[] value();
}
