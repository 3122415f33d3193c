/**
 * One transaction in several places that speak only XA: databases with an {@code XADataSource},
 * brokers with an {@code XAConnectionFactory}. Narayana coordinates; this package gives it a node
 * identifier that was chosen, a log that nobody else writes, participants that it can reach again,
 * and recovery that runs, and says what became of a transaction, per participant, when that is not
 * plain. It knows JTA, JDBC and, for those who use it, JMS; no driver and no broker.
 *
 * <p>Between PostgreSQL databases Holdfast's own protocol, in {@code core}, needs fewer forced
 * writes and neither log nor node identifier.
 */
@NullMarked
package dev.holdfast.jta;

import org.jspecify.annotations.NullMarked;
