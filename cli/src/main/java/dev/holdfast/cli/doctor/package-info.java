/**
 * {@code holdfast doctor}: examines the database and, when it is named, the Kafka cluster, and puts
 * the findings together. Decides nothing but the exit status: 0 when all is well, 1 when something
 * failed (or, with {@code --strict}, was warned of), 3 when something could not be asked.
 */
@NullMarked
package dev.holdfast.cli.doctor;

import org.jspecify.annotations.NullMarked;
