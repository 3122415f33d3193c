package dev.holdfast.cli.demo;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.holdfast.cli.demo.Catalogue.Product;
import java.util.Map;
import org.junit.jupiter.api.Test;

class IndexVerdictTest {
  private static final Product FIRST = new Product("product-1", 1_001, "ann", 3);
  private static final Product SECOND = new Product("product-2", 1_002, "bob", 1);

  private static IndexVerdict verdict(Map<String, JsonNode> documents) {
    return IndexVerdict.of(Map.of("product-1", FIRST, "product-2", SECOND), documents, 7, 4);
  }

  @Test
  void documentsThatSayWhatTheProductsDoAreClean() {
    IndexVerdict verdict =
        verdict(Map.of("product-1", FIRST.document(), "product-2", SECOND.document()));

    assertThat(verdict.differences()).isEmpty();
    assertThat(verdict.verdict(50)).isEqualTo(new Verdict(50, 0, 0, 0, 0));
    assertThat(verdict.products()).isEqualTo(2);
    assertThat(verdict.deleted()).isEqualTo(7);
    assertThat(verdict.late()).isEqualTo(4);
  }

  @Test
  void aProductThatIsNotFoundIsMissing() {
    IndexVerdict verdict = verdict(Map.of("product-1", FIRST.document()));

    assertThat(verdict.missing()).isEqualTo(1);
    assertThat(verdict.verdict(50)).isEqualTo(new Verdict(50, 1, 0, 0, 0));
    assertThat(verdict.differences())
        .singleElement()
        .asString()
        .startsWith("missing:")
        .contains("product-2");
  }

  @Test
  void aDocumentOfNoProductIsExtra() {
    Product gone = new Product("product-3", 1_003, "ann", 2);
    IndexVerdict verdict =
        verdict(
            Map.of(
                "product-1",
                FIRST.document(),
                "product-2",
                SECOND.document(),
                "product-3",
                gone.document()));

    assertThat(verdict.extra()).isEqualTo(1);
    assertThat(verdict.verdict(50)).isEqualTo(new Verdict(50, 0, 1, 0, 0));
    assertThat(verdict.differences()).singleElement().asString().contains("product-3");
  }

  @Test
  void aDocumentThatSaysAnythingElseIsStale() {
    for (JsonNode other :
        new JsonNode[] {
          new Product("product-1", 1_000, "ann", 2).document(),
          new Product("product-1", 1_001, "bob", 3).document(),
          new Product("product-1", 1_001, "ann", 4).document(),
          SECOND.document(),
          FIRST.document().put("more", 1),
          FIRST.document().without("price")
        }) {
      IndexVerdict verdict = verdict(Map.of("product-1", other, "product-2", SECOND.document()));

      assertThat(verdict.stale()).as(other.toString()).isEqualTo(1);
      assertThat(verdict.verdict(50)).isEqualTo(new Verdict(50, 0, 0, 0, 1));
    }
  }
}
