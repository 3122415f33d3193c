package dev.holdfast.crashtest.resource;

/**
 * Something that takes effect with a commit.
 *
 * @param what a statement without its values, or a topic
 * @param site the line that asked for it
 */
public record Change(String what, Site site) {}
