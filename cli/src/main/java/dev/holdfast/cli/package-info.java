/**
 * The {@code holdfast} command: one class per command, which reads arguments, calls what the other
 * modules offer, and prints a table or JSON. It decides nothing about messages itself. Errors are
 * one message on standard error and an exit status: 1 when something went wrong, 2 when the
 * arguments cannot be used.
 */
@NullMarked
package dev.holdfast.cli;

import org.jspecify.annotations.NullMarked;
