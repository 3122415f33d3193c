/**
 * MariaDB as a participant of operations across databases, by SQL of our own over any JDBC driver:
 * {@code XA START}, the application's work, a witness row, {@code XA END}, {@code XA PREPARE}, and
 * later {@code XA COMMIT} or {@code XA ROLLBACK}. May know the core's store interfaces and JDBC,
 * nothing else. The tables are in the numbered {@code schema/*.sql} resources.
 *
 * <p>What rests on how MariaDB 11.4 behaves, each shown by a test ({@code XaFactsTest}):
 *
 * <ul>
 *   <li>A prepared branch survives SIGKILL of the client and of the server, with its exclusive
 *       locks. As long as the connection that prepared it is open, nobody else can end it: {@code
 *       XA COMMIT} answers 1397 (XAE04, unknown xid) as it does for what does not exist, while
 *       {@code XA RECOVER} lists it. So the two together tell {@code HELD} from {@code
 *       NOT_PREPARED}.
 *   <li>{@code XA RECOVER} lists the xids of all databases of a server, and needs no privilege; nor
 *       does ending any branch whose connection is closed.
 *   <li>{@code XA PREPARE} releases the locks of reads, except under SERIALIZABLE. So a claim read
 *       with a lock by a branch that prepares conflicts with whoever replaces the claim at that
 *       moment, and does not keep others from it for as long as the branch is in doubt.
 *   <li>XA statements may stand in a {@code BEGIN NOT ATOMIC} block: several of them take one round
 *       trip, without {@code allowMultiQueries}, and the first error ends the block.
 *   <li>{@code idle_transaction_timeout} closes the connection of a prepared branch as well,
 *       whereupon others can end the branch: that is what frees the locks of a host that died.
 *   <li>A deadlock rolls the whole branch back; the connection is of use again after {@code XA
 *       END}, which answers 1614 (XA102), and {@code XA ROLLBACK}. A lock that was not had in time
 *       undoes its statement alone.
 *   <li>The witness of a branch is seen before its commit by READ UNCOMMITTED, also after the
 *       server was killed. That is how a branch's age and owner are known, which {@code XA RECOVER}
 *       does not tell.
 *   <li>A branch that wrote nothing is rolled back when its connection is closed; ours always write
 *       a witness.
 * </ul>
 */
@NullMarked
package dev.holdfast.mariadb;

import org.jspecify.annotations.NullMarked;
