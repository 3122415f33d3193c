package dev.holdfast.cli.demo;

/**
 * What an order changes where orders change the catalogue: it gives a product that is on sale, or
 * is not yet or no more, another price, or takes it off sale. Decided by the order's number alone.
 *
 * <p>Such that the changes of a product are under way together, and few come later: what one of
 * them has left wrong is not made good by the next.
 *
 * @param isDelete whether the product is taken off sale, if it is on sale
 */
record Change(String product, int price, boolean isDelete) {
  private static final int PRODUCTS = 200;

  /** So many products are changed in turns, each so often. */
  private static final int TOGETHER = 4;

  private static final int TIMES = 6;

  private static final int CHEAPEST = 1000;

  static Change of(String orderId) {
    int number = Integer.parseInt(orderId.substring(orderId.lastIndexOf('-') + 1));
    int product = number / (TOGETHER * TIMES) * TOGETHER + number % TOGETHER;
    return new Change("product-" + product % PRODUCTS, CHEAPEST + number, number % 5 == 2);
  }
}
