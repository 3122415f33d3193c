/**
 * {@code holdfast prove twophase}: operations across two real databases, run by processes that are
 * killed and stopped, on servers that are killed as well, while others recover; and then counted.
 */
@NullMarked
package dev.holdfast.cli.prove.twophase;

import org.jspecify.annotations.NullMarked;
