package dev.holdfast.twophase.store;

import java.time.Duration;

/**
 * A branch that is prepared and waits.
 *
 * @param gid names it
 * @param age since it was prepared, by the participant's clock; zero where that is not kept
 * @param owner the database user who prepared it; only that user or a superuser may end it
 * @param locks how many locks it holds, for people: those of another prepared branch may be counted
 *     as well; -1 where that cannot be told, or was not asked for
 */
public record PreparedBranch(Gid gid, Duration age, String owner, long locks) {}
