package dev.holdfast.twophase;

import dev.holdfast.InvalidConfiguration;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.twophase.store.BranchStore;
import dev.holdfast.twophase.store.ParticipantProvider;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.ServiceLoader;
import java.util.regex.Pattern;
import javax.sql.DataSource;
import org.jspecify.annotations.Nullable;

/**
 * A database that takes part in operations across databases. Immutable and thread-safe; making one
 * touches nothing but one connection, to see which product it is.
 */
public final class Participant {
  private static final Pattern NAME = Pattern.compile("[a-z0-9_-]{1,30}");

  private final String name;
  private final @Nullable BranchStore branches;

  private Participant(String name, @Nullable BranchStore branches) {
    this.name = name;
    this.branches = branches;
  }

  /**
   * A database other than the one that decides, whose tables of Holdfast's are in a schema named
   * {@code holdfast}.
   *
   * @param name names it in the deciding database and in every branch; 1 to 30 of the characters
   *     {@code a-z 0-9 _ -}; keep it stable
   * @param dataSource gives connections to it; a pool should have two more than the application
   *     itself uses
   * @throws InvalidConfiguration when the name cannot be used, or no module supports the product
   * @throws StoreUnavailable when it cannot be reached
   */
  public static Participant of(String name, DataSource dataSource) {
    return of(name, dataSource, "holdfast");
  }

  /** As {@link #of(String, DataSource)}, with another schema. */
  public static Participant of(String name, DataSource dataSource, String schema) {
    try (Connection connection = dataSource.getConnection()) {
      for (ParticipantProvider provider : ServiceLoader.load(ParticipantProvider.class)) {
        if (provider.supports(connection)) {
          return of(name, provider.open(dataSource, schema));
        }
      }
      throw new InvalidConfiguration(
          "No module on the class path supports "
              + connection.getMetaData().getDatabaseProductName()
              + " as a participant. Add dev.holdfast:holdfast-postgres or holdfast-mariadb; for"
              + " what speaks XA alone there is holdfast-jta.");
    } catch (SQLException e) {
      throw new StoreUnavailable(
          "The participant "
              + name
              + " could not be reached ("
              + e.getMessage()
              + "). Nothing was started. Check the address, the credentials and that the server"
              + " runs.",
          e);
    }
  }

  /** As {@link #of(String, DataSource)}, of an implementation of its own. */
  public static Participant of(String name, BranchStore branches) {
    if (!NAME.matcher(name).matches()) {
      throw new InvalidConfiguration(
          "The participant's name '"
              + name
              + "' cannot be used. Nothing was started. Use 1 to 30 of the characters a-z 0-9 _ -.");
    }
    return new Participant(name, branches);
  }

  /** For {@link dev.holdfast.Holdfast#decider}. */
  public static Participant decider() {
    return new Participant("decider", null);
  }

  public String name() {
    return name;
  }

  /** Whether this stands for the database that decides. */
  public boolean isDecider() {
    return branches == null;
  }

  /**
   * Its side of the protocol.
   *
   * @throws IllegalStateException for the database that decides
   */
  public BranchStore branches() {
    if (branches == null) {
      throw new IllegalStateException("The database that decides has no branches.");
    }
    return branches;
  }

  @Override
  public String toString() {
    return name;
  }
}
