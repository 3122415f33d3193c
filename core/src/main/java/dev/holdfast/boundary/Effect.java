package dev.holdfast.boundary;

/**
 * One durable change at one boundary, as part of an operation.
 *
 * @param boundary the boundary's {@linkplain Boundary#description() description}
 * @param what what is changed there, such as a table or a topic
 */
public record Effect(String boundary, String what) {}
