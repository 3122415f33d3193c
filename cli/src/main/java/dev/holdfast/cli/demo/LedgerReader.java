package dev.holdfast.cli.demo;

import com.zaxxer.hikari.HikariDataSource;

/** Counts the entries of the ledger, in its own database. */
final class LedgerReader extends RecordReader {
  private static final String PREPARED =
      "select count(*) from pg_prepared_xacts where database = current_database()";

  private final boolean entersAll;

  /**
   * @param dataSource closed with this
   * @param entersAll whether every order is due to have an entry
   */
  LedgerReader(HikariDataSource dataSource, boolean entersAll) {
    super(dataSource, Ledger.TABLES);
    this.entersAll = entersAll;
  }

  /** Nothing may be left that is prepared and neither committed nor rolled back. */
  @Override
  public boolean isComplete(int orders) {
    return number(PREPARED) == 0 && (!entersAll || distinct() >= orders);
  }
}
