/**
 * The store on PostgreSQL 14 and later. One class per store interface; the tables, functions and
 * their locks are in the numbered {@code schema/*.sql} resources.
 *
 * <p>Statements that must commit with the user's data run on the user's connection; everything else
 * runs in short transactions of this package's own ({@code Database}), READ COMMITTED and with
 * {@code synchronous_commit} on whatever the session's default, since other systems are told of
 * what they commit. May know the core's store interfaces and pgjdbc, nothing else.
 */
@NullMarked
package dev.holdfast.postgres;

import org.jspecify.annotations.NullMarked;
