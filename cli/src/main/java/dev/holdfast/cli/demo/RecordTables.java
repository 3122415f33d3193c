package dev.holdfast.cli.demo;

/**
 * Where it is written what came of the orders, in rows with {@code number}, {@code order_id} and
 * {@code customer}, and in the same transaction how much that is for each customer's {@code name}.
 *
 * @param where whose tables these are, in words
 * @param rows the table of the rows
 * @param sum what the rows of a customer come to
 * @param totals the table of the customers
 * @param total its column for that
 */
record RecordTables(String where, String rows, String sum, String totals, String total) {}
