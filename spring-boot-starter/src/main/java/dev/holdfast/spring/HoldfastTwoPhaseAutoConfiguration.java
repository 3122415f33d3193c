package dev.holdfast.spring;

import dev.holdfast.Holdfast;
import dev.holdfast.twophase.Participant;
import org.springframework.beans.factory.ListableBeanFactory;
import org.springframework.boot.autoconfigure.AutoConfiguration;
import org.springframework.boot.autoconfigure.condition.ConditionalOnBean;
import org.springframework.boot.autoconfigure.condition.ConditionalOnMissingBean;
import org.springframework.context.annotation.Bean;
import org.springframework.context.annotation.Lazy;

/** Operations across databases in Spring's transactions, where there is another database. */
@AutoConfiguration(after = HoldfastAutoConfiguration.class)
@ConditionalOnBean({Holdfast.class, TransactionalOutbox.class, Participant.class})
public class HoldfastTwoPhaseAutoConfiguration {

  /** Made when it is wanted: an application without a transaction manager may do without. */
  @Bean
  @Lazy
  @ConditionalOnMissingBean
  AtomicOperations atomicOperations(
      Holdfast holdfast,
      HoldfastAutoConfiguration.ChosenDataSource chosen,
      ListableBeanFactory beans) {
    SpringTransactions transactions =
        new SpringTransactions(
            TransactionManagers.choose(beans, chosen.dataSource()),
            chosen.dataSource(),
            holdfast.store().writer());
    return new AtomicOperations(holdfast.transactingBy(transactions));
  }
}
