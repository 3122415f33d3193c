package dev.holdfast.benchmarks;

import com.zaxxer.hikari.HikariDataSource;
import dev.holdfast.devservices.PostgresServer;

/**
 * What a contender is given for one run.
 *
 * @param pool for whoever takes part: writers, relay
 * @param topic its own, empty, with four partitions
 * @param mode one of those that the contender has
 */
record Venue(
    PostgresServer postgres,
    HikariDataSource pool,
    String bootstrapServers,
    String topic,
    Mode mode) {}
