/**
 * {@code holdfast guarantees}: what this version promises, as it stands at running servers, and
 * which tests attack it. The page GUARANTEES.md is its output, compared in the build.
 */
@NullMarked
package dev.holdfast.cli.guarantees;

import org.jspecify.annotations.NullMarked;
