/**
 * What an examination of a running system finds: a {@link dev.holdfast.doctor.Finding} for each
 * thing looked at, with a stable id, what it means, and what to do about it. The modules of the
 * resources examine themselves ({@code PostgresDoctor}, {@code KafkaDoctor}); {@code holdfast
 * doctor} puts their findings together. Knows nothing of either.
 */
@NullMarked
package dev.holdfast.doctor;

import org.jspecify.annotations.NullMarked;
