/**
 * Examines a database that holds an outbox: server, sessions, tables, channels, rights, and what
 * stands between it and us. Every check reads in a short transaction of its own, takes no lock that
 * anybody waits for, and changes nothing; one sends a notification to itself. A check that gets no
 * answer says so. May use the store, and knows nothing of any target.
 */
@NullMarked
package dev.holdfast.postgres.doctor;

import org.jspecify.annotations.NullMarked;
