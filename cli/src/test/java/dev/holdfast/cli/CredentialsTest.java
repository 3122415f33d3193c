package dev.holdfast.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.holdfast.InvalidConfiguration;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CredentialsTest {
  @ParameterizedTest
  @ValueSource(
      strings = {
        "jdbc:postgresql://h/d?user=u&password=s3cret",
        "jdbc:postgresql://h/d?password=s3cret&user=u",
        "jdbc:postgresql://h/d?sslpassword=s3cret",
        "postgresql://u:s3cret@h:5432/d",
        "postgresql://u:p@s3cret@h/d",
        "sasl.jaas.config=Login required username=\"u\" password=\"s3cret\";",
        "ssl.keystore.password=s3cret",
        "could not connect to postgresql://u:s3cret@h/d: refused",
      })
  void passwordsAreHidden(String text) {
    assertThat(Credentials.mask(text)).doesNotContain("s3cret").contains("***");
  }

  @Test
  void everythingElseStays() {
    String text = "jdbc:postgresql://h:5432/d?user=u&sslmode=require";
    assertThat(Credentials.mask(text)).isEqualTo(text);
    assertThat(Credentials.mask("postgresql://u:x@h/d")).isEqualTo("postgresql://u:***@h/d");
  }

  @Test
  void urlsOfBothKindsAreAddresses() {
    DatabaseAddress address =
        DatabaseOptions.address("postgres://u:p%40ss@h:1/d?sslmode=require", "s", Map.of());
    assertThat(address.url()).isEqualTo("jdbc:postgresql://h:1/d?sslmode=require");
    assertThat(address.user()).isEqualTo("u");
    assertThat(address.password()).isEqualTo("p@ss");
    assertThat(
            DatabaseOptions.address(
                    null,
                    "s",
                    Map.of("HOLDFAST_DATABASE", "jdbc:postgresql://h/d", "HOLDFAST_PASSWORD", "x"))
                .password())
        .isEqualTo("x");
  }

  @Test
  void whatIsNoDatabaseIsRefusedWithoutItsPassword() {
    assertThatThrownBy(() -> DatabaseOptions.address("mysql://u:s3cret@h/d", "s", Map.of()))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("mysql://u:***@h/d");
    assertThatThrownBy(
            () -> DatabaseOptions.address("postgresql://u:s3cret@h:port/d", "s", Map.of()))
        .isInstanceOf(InvalidConfiguration.class)
        .hasMessageContaining("u:***@h:port");
    assertThatThrownBy(() -> DatabaseOptions.address(null, "s", Map.of()))
        .hasMessageContaining("HOLDFAST_DATABASE");
  }

  private static ParticipantAddress participant(String url, Map<String, String> environment) {
    return ParticipantAddress.of("ledger-2", url, "holdfast", environment);
  }

  @Test
  void aParticipantsCredentialsAreItsOwnAndOnlyElseThoseOfTheDatabase() {
    Map<String, String> both =
        Map.of(
            "HOLDFAST_PARTICIPANT_LEDGER_2_USER", "clerk",
            "HOLDFAST_PARTICIPANT_LEDGER_2_PASSWORD", "p1",
            "HOLDFAST_USER", "shop",
            "HOLDFAST_PASSWORD", "p2");
    Map<String, String> databases = Map.of("HOLDFAST_USER", "shop", "HOLDFAST_PASSWORD", "p2");
    String url = "jdbc:postgresql://h/d";

    assertThat(participant(url, both).postgres()).hasToString(url);
    assertThat(participant(url, both).user()).isEqualTo("clerk");
    assertThat(participant(url, both).password()).isEqualTo("p1");
    assertThat(participant(url, databases).user()).isEqualTo("shop");
    assertThat(participant(url, databases).password()).isEqualTo("p2");
    assertThat(participant("jdbc:mariadb://h/d", databases).user()).isEqualTo("shop");
    // The password of another user is sent to no server.
    assertThat(participant(url + "?user=clerk", databases).password()).isNull();
    assertThat(participant("postgresql://clerk@h/d", databases).password()).isNull();
    assertThat(
            participant(
                    url,
                    Map.of(
                        "HOLDFAST_PARTICIPANT_LEDGER_2_USER", "clerk", "HOLDFAST_PASSWORD", "p2"))
                .password())
        .isNull();
    assertThat(participant("postgresql://u:s3cret@h/d", databases).toString())
        .isEqualTo("ledger-2=postgresql://u:***@h/d");
  }
}
