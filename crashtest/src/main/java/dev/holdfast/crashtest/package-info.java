/**
 * The crash lab: crashes an operation at each of its commit points, and compares what is there
 * afterwards with what its caller was told. And {@link dev.holdfast.crashtest.StoreConformance},
 * the suite that every store must pass.
 *
 * <h2>Runs</h2>
 *
 * The <em>golden run</em> finds the commit points: what the operation commits, on whichever thread,
 * through the resources that the lab wrapped, from its call until its effects are there. Points are
 * not declared. Each further run makes one fault at one point:
 *
 * <ul>
 *   <li><b>before</b> the point: also the crash after the one before it;
 *   <li><b>between effect and acknowledgment</b>: it has happened, and nobody was told;
 *   <li><b>after the last point</b>, once: everything has happened and the caller knows;
 *   <li><b>held back</b>, where a client may send later than it was told to: the code has gone on,
 *       and the client's buffer dies with the process. In all other runs what was handed to a
 *       client has been sent before the crash, so that nothing is left to chance.
 * </ul>
 *
 * So n points make 2n + 1 crashes, and one more for each send that may be held back. A second fault
 * can be made at each point that a recovery, or a retry, passes. A point is a {@linkplain
 * dev.holdfast.crashtest.resource.Role role} and which occurrence of it; background threads are
 * planned for at the first occurrence only, since how often they come round depends on time, unless
 * the scenario says otherwise of one. A planned point that does not come fails the run.
 *
 * <h2>The life of a process</h2>
 *
 * <pre>
 *   started ── alive ──┬── stopped    in order, at the end of a run
 *                      └── crashed ── buried
 * </pre>
 *
 * An <em>incarnation</em> is one life of the process under test, with the resources made for it. A
 * crash takes them in this order, and nobody learns of it before it is complete: every new call
 * fails; the network is cut, so that threads inside client libraries send nothing more; clients and
 * physical connections are ended. Hence neither a {@code finally} block, nor {@code catch
 * (Throwable)}, nor an I/O thread has an effect afterwards. What a crash leaves:
 *
 * <table>
 * <caption>What a crash leaves</caption>
 * <tr><th>at</th><th>left in the resource</th><th>known to the caller</th></tr>
 * <tr><td>before a commit</td><td>what was committed before it; the open transaction goes</td>
 * <td>nothing, unless the operation has returned</td></tr>
 * <tr><td>between effect and acknowledgment</td><td>the effect</td><td>as above</td></tr>
 * <tr><td>after the last</td><td>all effects</td><td>that it has happened</td></tr>
 * <tr><td>the start of the next life</td><td>as left, and what that start did</td><td>nothing
 * new</td></tr>
 * </table>
 *
 * <em>Burial</em> clears away what a real process does not leave: its own code may run to close
 * things, fenced. Only then does the network serve the next life.
 *
 * <h2>Carriers</h2>
 *
 * <ul>
 *   <li><b>FENCED</b>, a simulated crash, as above, within this JVM: some ten milliseconds.
 *   <li><b>FORKED</b>, a forked crash: a JVM of its own is halted at its point, and another one is
 *       started. Seconds, and nothing to simulate.
 *   <li><b>DRILL</b>, a simulated crash, and while the process is down a {@link
 *       dev.holdfast.crashtest.Drill} befalls the resources: they come back older than they were,
 *       or twice. It may excuse what the resource itself has lost, and repeats.
 *   <li><b>LOST_ACK</b>, no crash: a TCP relay in front of the resource is told, before the request
 *       goes out, to drop the answer. It reads no protocol, so that it works under TLS. The process
 *       lives on, with what its client library makes of it; some libraries ask again by themselves,
 *       and then the run says that they absorbed it.
 * </ul>
 *
 * <h2>The oracle</h2>
 *
 * Effects are counted by the operation's key at the resources themselves, once they have settled.
 * What was acknowledged must be there, every effect once. What was refused must not be, or be made
 * up for. What the caller cannot know must be there as a whole or not at all; and when it retries
 * with the same key, once. The {@linkplain dev.holdfast.crashtest.report.Verdict verdicts} are
 * lost, phantom, duplicate, reordered, stuck and misreported.
 *
 * <h2>What it cannot show</h2>
 *
 * <ul>
 *   <li>What is not wrapped: effects through clients that the application made by itself, files,
 *       and what static fields keep over a simulated crash.
 *   <li>What drivers commit behind the wrapper, such as {@code COPY} in autocommit mode on an
 *       unwrapped connection. It is fenced, but it is not a point.
 *   <li>Interleavings of concurrent operations, other than those that happen to occur.
 *   <li>What a database or broker loses when it dies itself, other than in a drill.
 *   <li>Places between commit points. A crash there leaves what one at the next point leaves, as
 *       far as the process keeps nothing elsewhere.
 * </ul>
 *
 * May know the core's model and store interfaces; knows no database and no broker beyond JDBC and
 * the client libraries, of which only the needed ones have to be there. The exception is {@link
 * dev.holdfast.crashtest.StoreClock}, which moves the time of a store in PostgreSQL.
 */
@NullMarked
package dev.holdfast.crashtest;

import org.jspecify.annotations.NullMarked;
