package dev.holdfast.http;

import dev.holdfast.boundary.Outcome;
import java.net.http.HttpResponse;
import org.jspecify.annotations.Nullable;

/**
 * What became of a request, and the last response to it.
 *
 * @param response {@code null} when none came
 * @param attempts how many requests were sent
 */
public record Attempted(Outcome outcome, @Nullable HttpResponse<byte[]> response, int attempts) {}
