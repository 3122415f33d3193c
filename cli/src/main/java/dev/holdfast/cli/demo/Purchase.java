package dev.holdfast.cli.demo;

/**
 * What an order is of, and what its checkout meets with. Decided by the order's number alone, so
 * that whoever knows the id knows it.
 *
 * @param isDeliverable whether the carrier takes it; known only when it is paid
 * @param isLookedUp whether it is asked what became of a charge; else it is charged again under its
 *     key
 * @param isRegretted whether the customer wants it no more while it is checked out
 */
record Purchase(
    String article,
    int units,
    int cents,
    String card,
    boolean isDeliverable,
    boolean isLookedUp,
    boolean isRegretted,
    int number) {

  /** As with the cards that providers give out for tests. */
  static final String DECLINED = "4000-0000-0000-0002";

  static final int ARTICLES = 4;

  private static final String ACCEPTED = "4242-4242-4242-4242";
  private static final int PRICE = 1990;

  static Purchase of(String orderId) {
    int number = Integer.parseInt(orderId.substring(orderId.lastIndexOf('-') + 1));
    int units = 1 + number % 3;
    return new Purchase(
        article(number % ARTICLES),
        units,
        units * PRICE,
        number % 10 == 7 ? DECLINED : ACCEPTED,
        number % 10 != 3,
        number / 10 % 2 == 0,
        number % 10 == 5,
        number);
  }

  static String article(int number) {
    return "article-" + number;
  }
}
