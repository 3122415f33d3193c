package dev.holdfast.cli.demo;

/**
 * Where it is written what is taken of a stock, in two books.
 *
 * @param takenByOrders a query for order, article, and units, of all that orders hold or have
 * @param takenOfArticles a query for article, and the units that are missing of it
 */
record StockTables(String takenByOrders, String takenOfArticles) {}
