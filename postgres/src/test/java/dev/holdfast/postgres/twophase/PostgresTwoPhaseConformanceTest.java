package dev.holdfast.postgres.twophase;

/** Operations across PostgreSQL databases keep their promises at every commit point. */
final class PostgresTwoPhaseConformanceTest extends PostgresTwoPhase {}
