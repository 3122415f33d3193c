/**
 * Real PostgreSQL and Kafka servers in child processes, for demonstrations, tests and benchmarks,
 * and a TCP relay that breaks the connection to them. The servers come from Maven Central
 * artifacts; neither Docker nor an installation is needed, and they run for root as well as for an
 * ordinary user, on Linux on amd64 and arm64. There are also MariaDB (amd64 only) and Artemis,
 * whose dependencies are optional here, and RabbitMQ, which has to be installed.
 *
 * <p>The servers can be killed, paused and started again on the same data and port, which is what
 * crash tests are made of. None outlives the program that started it: a small supervisor process
 * holds the other end of a pipe and ends the server when that program is gone, however it went; a
 * server that is found on a data directory nevertheless is ended before a new one starts there.
 *
 * <p>This package knows nothing of Holdfast's other modules, so that each of their tests may use
 * it. It is not meant for production: anybody on the machine may connect without a password.
 */
@NullMarked
package dev.holdfast.devservices;

import org.jspecify.annotations.NullMarked;
