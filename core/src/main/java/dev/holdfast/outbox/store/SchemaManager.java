package dev.holdfast.outbox.store;

import java.util.List;

/** The tables' versions. Versions are applied in order; a released one never changes. */
public interface SchemaManager {

  /**
   * @param version from 1
   * @param name what it brings
   * @param applied whether the database has it
   */
  record Migration(int version, String name, boolean applied) {}

  /** All migrations this version of Holdfast knows, in order. */
  List<Migration> status();

  /**
   * Applies what is missing, each migration in a transaction of its own; several processes may call
   * it at once.
   *
   * @return the versions applied
   * @throws dev.holdfast.SchemaMismatch when the database is newer than this version can use
   */
  List<Integer> migrate();

  /**
   * @throws dev.holdfast.SchemaMismatch when the tables are missing, too old or too new
   */
  void verify();

  /** The SQL of the migrations after {@code fromVersion}, for a DBA or another migration tool. */
  String print(int fromVersion);

  /** The SQL that creates the roles writer, relay and admin and grants them what they need. */
  String printRoles();
}
