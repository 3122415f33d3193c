package dev.holdfast.cli.demo;

/**
 * What an order changes where orders change the catalogue: it gives a product that is on sale, or
 * is not yet or no more, another price, or takes it off sale. Decided by the order's number alone,
 * and such that neighbours, which are under way at the same time, are often about the same product.
 *
 * @param isDelete whether the product is taken off sale, if it is on sale
 */
record Change(String product, int price, boolean isDelete) {
  private static final int PRODUCTS = 40;
  private static final int NEIGHBOURS = 3;
  private static final int CHEAPEST = 1000;

  static Change of(String orderId) {
    int number = Integer.parseInt(orderId.substring(orderId.lastIndexOf('-') + 1));
    return new Change(
        "product-" + number / NEIGHBOURS % PRODUCTS, CHEAPEST + number, number % 5 == 2);
  }
}
