/**
 * The relay as a program: its configuration file, and its health and metrics over HTTP. What it
 * delivers and how is the outbox's business.
 */
@NullMarked
package dev.holdfast.cli.relay;

import org.jspecify.annotations.NullMarked;
