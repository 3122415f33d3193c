package dev.holdfast.internal.workflow;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.JavaCompiler;
import javax.tools.JavaFileObject;
import javax.tools.SimpleJavaFileObject;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A call that does not say what resolves its unknown outcome is refused by the compiler. */
final class OpenOutcomeDoesNotCompileTest {
  @TempDir private Path classes = Path.of("");

  private List<String> compile(String chain) {
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    DiagnosticCollector<JavaFileObject> found = new DiagnosticCollector<>();
    String text =
        """
        import dev.holdfast.workflow.*;
        import java.time.Duration;
        class Orders {
          String charge(Flow flow) {
            return flow.step("charge", String.class)%s.call(key -> "charged");
          }
        }
        """
            .formatted(chain);
    JavaFileObject source =
        new SimpleJavaFileObject(URI.create("string:///Orders.java"), JavaFileObject.Kind.SOURCE) {
          @Override
          public CharSequence getCharContent(boolean ignoreEncodingErrors) {
            return text;
          }
        };
    compiler
        .getTask(
            null,
            null,
            found,
            List.of(
                "-d",
                classes.toString(),
                "-proc:none",
                "-cp",
                System.getProperty("java.class.path")),
            null,
            List.of(source))
        .call();
    return found.getDiagnostics().stream()
        .filter(each -> each.getKind() == Diagnostic.Kind.ERROR)
        .map(each -> each.getMessage(null))
        .toList();
  }

  @Test
  void aCallThatSaysNothing() {
    assertThat(compile("")).singleElement().asString().contains("call");
    assertThat(compile(".retry(Retry.times(3))")).singleElement().asString().contains("call");
  }

  @Test
  void aLookupThatDoesNotSayWhenSilenceIsANo() {
    assertThat(compile(".lookup(key -> Seen.notYet())"))
        .singleElement()
        .asString()
        .contains("call");
  }

  @Test
  void aStepThatIsUndoneInATransactionOnly() {
    assertThat(compile(".compensate((tx, charge) -> {})")).isNotEmpty();
  }

  @Test
  void eachOfTheOthersCompiles() {
    assertThat(compile(".lookup(key -> Seen.notYet()).settleAfter(Duration.ofMinutes(5))"))
        .isEmpty();
    assertThat(compile(".keyKeptFor(Duration.ofDays(1))")).isEmpty();
    assertThat(compile(".compensateByKey((key, charge) -> {})")).isEmpty();
    assertThat(compile(".parkUnknown()")).isEmpty();
  }
}
