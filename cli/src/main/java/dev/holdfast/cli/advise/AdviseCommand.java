package dev.holdfast.cli.advise;

import dev.holdfast.cli.Credentials;
import dev.holdfast.cli.Json;
import dev.holdfast.guarantee.Need;
import dev.holdfast.guarantee.Needs;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code holdfast advise}. */
@Command(
    name = "advise",
    description = {
      "Says how an operation with effects at several places is kept whole: what to do, why, what it"
          + " costs, what remains and what is given up, and why not otherwise. Judges by what the"
          + " places offer; asks no server.",
      "Exit status: 0 there is advice, 1 nothing meets the needs, 2 the question was not understood.",
      ""
    },
    footer = {
      "",
      "Kinds, and what they offer:",
      "  postgresql    transaction, prepare, version, lookup, undo",
      "  mariadb       transaction, prepare, version, lookup, undo",
      "  mysql         transaction, prepare, version, lookup, undo",
      "  oracle        transaction, prepare, version, lookup, undo",
      "  sqlserver     transaction, prepare, version, lookup, undo",
      "  mongodb       transaction, version, lookup, undo",
      "  kafka         progress, order (a transactional producer)",
      "  kafka-plain   order",
      "  rabbitmq      nothing",
      "  jms           transaction, prepare (a broker with XA)",
      "  sqs           nothing",
      "  sqs-fifo      dedup=5m, order",
      "  http          nothing",
      "  http-key      key=24h (a service that takes an Idempotency-Key)",
      "  webhook       order (an endpoint that takes a channel's messages)",
      "  opensearch    version, lookup, undo",
      "  elasticsearch version, lookup, undo",
      "  redis         version, lookup, undo",
      "  s3            version, lookup, undo",
      "  email         nothing",
      "",
      "Offers, added with + where yours has more than its kind:",
      "  transaction   several effects commit as one",
      "  prepare       a commit can be prepared, and decided later",
      "  progress      the sender's progress commits with the effects",
      "  key=TIME      a repeat under the same key is answered, not executed",
      "  dedup=TIME    a repeat with the same id is dropped, there or by its readers",
      "  version       a write can name the version that it replaces",
      "  lookup        it can be asked whether an effect happened",
      "  undo          an effect can be undone by another",
      "  hold=TIME     an effect can be held, then confirmed or cancelled",
      "  order         effects of one key are applied in the order sent",
      "",
      "Needs, beyond that no effect is lost:",
      "  order         effects of one key are applied in the order committed",
      "  now           every effect is committed when the caller is answered",
      "  no-duplicate  no effect happens twice, unless one of the two is undone",
      "  reply         the answer of a later place decides whether to go on",
      "  available     the caller is answered although another place is away",
      "",
      "Examples:",
      "  holdfast advise postgresql:orders kafka:orders.placed --need order",
      "  holdfast advise postgresql http+key=7d:payments --outage 3d",
      "  holdfast advise postgresql@shop postgresql@billing --need now",
      "  holdfast advise --consumed kafka:orders.placed postgresql:shipments",
      "  holdfast advise --consumed http:checkout postgresql:orders webhook:billing"
    })
public final class AdviseCommand implements Callable<Integer> {
  @Spec
  @SuppressWarnings("NullAway.Init")
  private CommandSpec spec;

  @Parameters(
      paramLabel = "EFFECT",
      arity = "1..*",
      description =
          "What changes, in the order meant: KIND[+OFFER...][@PLACE][:WHAT], such as"
              + " postgresql:orders, kafka@eu:orders.placed or http+lookup:payments. The same KIND and"
              + " PLACE is the same place.")
  private List<String> effects = new ArrayList<>();

  @Option(
      names = "--consumed",
      description =
          "The operation begins with a message from the first, or with a request that its sender"
              + " repeats.")
  private boolean consumed;

  @Option(
      names = "--need",
      paramLabel = "NEED",
      split = ",",
      description = "order, now, no-duplicate, reply, available.")
  private List<String> needs = new ArrayList<>();

  @Option(
      names = "--outage",
      paramLabel = "TIME",
      description =
          "The longest time that a place may be away before an attempt is repeated, such as 15m, 24h"
              + " or 3d.")
  private @Nullable String outage;

  @Option(names = "--json", description = "Prints JSON.")
  private boolean json;

  @Override
  public Integer call() {
    Answer answer;
    try {
      Question question = question();
      answer = new Answer(question, outage, question.answer());
    } catch (NotUnderstood e) {
      spec.commandLine()
          .getErr()
          .println("holdfast: " + Credentials.mask(String.valueOf(e.getMessage())));
      return ExitCode.USAGE;
    }
    // Somebody may name a place by its address, with a password in it.
    String text = Credentials.mask(json ? Json.text(answer.json()) : answer.text());
    spec.commandLine().getOut().print(text);
    spec.commandLine().getOut().flush();
    return answer.isSound() ? ExitCode.OK : ExitCode.SOFTWARE;
  }

  private Question question() {
    List<Place> places = effects.stream().map(Place::parse).toList();
    Needs asked =
        Needs.of(
            needs.stream()
                .map(need -> Word.find("need", need, Need.values(), Word::of))
                .toArray(Need[]::new));
    return Question.of(
        places,
        consumed,
        outage == null ? asked : asked.withOutage(Span.parse("--outage", outage)));
  }
}
