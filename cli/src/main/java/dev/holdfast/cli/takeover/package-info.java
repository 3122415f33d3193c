/**
 * {@code holdfast takeover}: from another outbox to this one, without losing or repeating what is
 * in its table. Here is what a row of each kind of table means; how rows are moved is {@link
 * dev.holdfast.postgres.Takeover}'s business.
 *
 * <h2>States of a row</h2>
 *
 * <pre>
 *   waiting ──┬── delivered by the old relay
 *             ├── moved: marked (or deleted) and published in one commit
 *             └── left: blocked, another listener's, or too young; listed, and for a person
 * </pre>
 *
 * <h2>Commit points, and what a crash leaves</h2>
 *
 * <table>
 * <caption>What a crash of the command leaves</caption>
 * <tr><th>crash</th><th>left behind</th><th>next</th></tr>
 * <tr><td>before a batch's commit</td><td>the rows in the old table, no message</td>
 * <td>run it again</td></tr>
 * <tr><td>after it, known or not</td><td>the batch's messages, and its rows marked</td>
 * <td>run it again: it goes on with the rows behind them</td></tr>
 * <tr><td>after the commit with the trigger</td><td>nothing to move, and the trigger</td>
 * <td>running it again renews the trigger's function and keeps its position</td></tr>
 * <tr><td>before the slot is dropped</td><td>a drained slot</td><td>run it again</td></tr>
 * <tr><td>after that</td><td>no slot</td><td>running it again says so</td></tr>
 * </table>
 *
 * <h2>Who is excluded</h2>
 *
 * The table is locked in EXCLUSIVE mode for each batch. That waits for transactions that inserted,
 * updated or locked rows, and so for a gruelbox relay in the middle of a row. Debezium reads the
 * log and not the table: it is made to end at a known position, where the trigger takes over.
 * Modulith holds nothing at all while it delivers, so its application has to be stopped, and
 * publications that are younger than a bound are left alone.
 *
 * <p>May know the database by JDBC and the store's {@code Takeover}; knows none of the libraries
 * that it takes over from.
 */
@NullMarked
package dev.holdfast.cli.takeover;

import org.jspecify.annotations.NullMarked;
