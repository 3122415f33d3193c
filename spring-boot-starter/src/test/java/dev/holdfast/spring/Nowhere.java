package dev.holdfast.spring;

import dev.holdfast.boundary.Acknowledgment;
import dev.holdfast.boundary.Capability;
import dev.holdfast.outbox.Target;
import dev.holdfast.outbox.TargetSession;
import dev.holdfast.outbox.TargetUnavailable;
import java.util.Set;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Configuration;

/** A target that cannot be reached: what is recorded stays. */
final class Nowhere implements Target {

  @Configuration(proxyBeanMethods = false)
  static class AsBean {
    @Bean
    Target nowhere() {
      return new Nowhere();
    }
  }

  @Override
  public String description() {
    return "nowhere";
  }

  @Override
  public Set<Capability> capabilities() {
    return Set.of();
  }

  @Override
  public Acknowledgment acknowledgment() {
    return Acknowledgment.ACCEPTED;
  }

  @Override
  public TargetSession open(Context context) {
    throw new TargetUnavailable("There is nothing to reach.", null);
  }
}
