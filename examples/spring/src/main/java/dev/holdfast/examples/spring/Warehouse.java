package dev.holdfast.examples.spring;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.kafka.annotation.KafkaListener;
import org.springframework.stereotype.Component;

/** Another service, which hears of orders; here in the same process, so that it can be watched. */
@Component
public class Warehouse {
  private static final Logger log = LoggerFactory.getLogger(Warehouse.class);
  private static final int REMEMBERED = 1000;

  private final List<String> heard = new CopyOnWriteArrayList<>();

  @KafkaListener(topics = "orders.placed", groupId = "warehouse")
  void hear(String order) {
    log.info("The warehouse has heard of {}", order);
    if (heard.size() < REMEMBERED) {
      heard.add(order);
    }
  }

  List<String> heard() {
    return List.copyOf(heard);
  }
}
