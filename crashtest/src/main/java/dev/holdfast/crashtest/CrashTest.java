package dev.holdfast.crashtest;

import dev.holdfast.crashtest.report.Carrier;
import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.TestTemplate;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/**
 * A test method that describes a {@link Scenario} with the {@link CrashLab} it is given. It is
 * called once for every run, on an instance of its own: first the golden run, which finds the
 * commit points, then one run for each fault. Each is a test with a name that says its point, and
 * when it fails, the one line that runs it again:
 *
 * <pre>{@code -Dholdfast.crash.replay=fenced:ack-lost@2-9c1e:seed-4242}</pre>
 */
@Documented
@Target(ElementType.METHOD)
@Retention(RetentionPolicy.RUNTIME)
@TestTemplate
@ExtendWith(CrashTestExtension.class)
@Execution(ExecutionMode.SAME_THREAD)
public @interface CrashTest {

  /** The system property that names the one run to make after the golden one. */
  String REPLAY_PROPERTY = "holdfast.crash.replay";

  /**
   * The system property that names the directory for the reports; empty for none. Not set, it is
   * {@code crash-lab} in {@code target} or {@code build}, where that is.
   */
  String REPORT_PROPERTY = "holdfast.crash.report";

  /** How faults are made. */
  Carrier[] carriers() default Carrier.FENCED;

  /** 0, or 1 for a second fault at every point of each recovery. */
  int crashesDuringRecovery() default 0;

  /** Whether a second fault is made at every point of each retry; for operations of few points. */
  boolean pairs() default false;

  /** Fixes the keys; 0 for new ones every time. */
  long seed() default 0;
}
