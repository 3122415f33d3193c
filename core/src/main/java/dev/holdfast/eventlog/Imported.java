package dev.holdfast.eventlog;

/**
 * What an import has done.
 *
 * @param appended how many events it has appended
 * @param known how many were there already, from an import before
 */
public record Imported(long appended, long known) {
  Imported and(Imported more) {
    return new Imported(appended + more.appended, known + more.known);
  }
}
