/**
 * What an operation commits through, wrapped: JDBC, Kafka, HTTP and JMS, and the interface for
 * others. A wrapper does two things. It reports every <em>commit-like event</em> to the {@link
 * dev.holdfast.crashtest.resource.Hook}, which may end the process there; and it gives the hook a
 * {@link dev.holdfast.crashtest.resource.Fence}, by which nothing that was made for a process has
 * an effect once that process has crashed.
 *
 * <p>Knows nothing of scenarios, runs or verdicts. What needs a client library is in classes of its
 * own, so that Kafka's or JMS's may be missing.
 */
@NullMarked
package dev.holdfast.crashtest.resource;

import org.jspecify.annotations.NullMarked;
