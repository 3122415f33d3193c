package dev.holdfast.examples.spring;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** The service as it runs in production: PostgreSQL and Kafka are named by the properties. */
@SpringBootApplication
public class OrderApplication {
  public static void main(String[] arguments) {
    SpringApplication.run(OrderApplication.class, arguments);
  }
}
