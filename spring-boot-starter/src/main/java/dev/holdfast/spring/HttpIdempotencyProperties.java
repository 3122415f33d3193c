package dev.holdfast.spring;

import java.time.Duration;
import java.util.List;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * Requests with an {@code Idempotency-Key}, each of which is executed once.
 *
 * @param paths which paths are received so, as a servlet container's patterns such as /orders/*;
 *     none when not set
 * @param consumer under which name keys are remembered; keep it stable
 * @param methods which methods are, in upper case
 * @param required whether a request without a key is refused
 * @param maxRequest longest body of a request
 * @param retention how long a key is remembered at least
 * @param redelivery how long after the first time a client may send a request again
 * @param handlerSilence how long a handler may leave its transaction alone
 * @param retryAfter what whoever has to come again is told to wait
 * @param order place among the filters: behind that of Spring Security (-100), so that it is known
 *     whose key it is
 */
public record HttpIdempotencyProperties(
    @DefaultValue List<String> paths,
    @DefaultValue("http") String consumer,
    @DefaultValue({"POST", "PATCH"}) List<String> methods,
    @DefaultValue("true") boolean required,
    @DefaultValue("1MB") DataSize maxRequest,
    @DefaultValue("7d") Duration retention,
    @DefaultValue("1d") Duration redelivery,
    @DefaultValue("1m") Duration handlerSilence,
    @DefaultValue("1s") Duration retryAfter,
    @DefaultValue("0") int order) {}
