package dev.holdfast.spring;

import dev.holdfast.outbox.RelaySettings;
import dev.holdfast.projection.ProjectionSettings;
import dev.holdfast.twophase.TwoPhaseSettings;
import dev.holdfast.workflow.WorkflowSettings;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.springframework.boot.context.properties.ConfigurationProperties;
import org.springframework.boot.context.properties.bind.DefaultValue;
import org.springframework.util.unit.DataSize;

/**
 * The properties {@code holdfast.*}. A name below it that does not exist fails the start.
 *
 * @param enabled whether Holdfast is started at all
 * @param schema schema of the database that holds Holdfast's tables
 * @param migrate whether the start creates and migrates these tables; otherwise Flyway, Liquibase
 *     or a DBA does, before
 * @param retention how long delivered messages are kept at least; an hour when never set
 * @param dedupeWindow how long a dedupe key is remembered at least; a day when never set
 * @param maxPayload largest payload of a message; a million bytes when never set
 * @param topicCheck what happens when Kafka, asked at start, does not have a topic of a channel, or
 *     lets this user not write to it; patterns are not asked about
 * @param modulith how events of Spring Modulith are externalized
 * @param relay how channels run in this process
 * @param channels channels, by their names
 * @param listeners how methods with {@link HoldfastListener}, {@link HoldfastJmsListener} and
 *     {@link HoldfastRabbitListener} run in this process
 * @param consumers consumers that such methods belong to, by their names
 * @param http how requests are received
 * @param twoPhase how operations across databases are run and recovered
 * @param workflow how this process runs workflows
 * @param projections how this process follows the event log: projections and channels of events
 */
@ConfigurationProperties(prefix = "holdfast", ignoreUnknownFields = false)
public record HoldfastProperties(
    @DefaultValue("true") boolean enabled,
    @DefaultValue("holdfast") String schema,
    @DefaultValue("true") boolean migrate,
    @Nullable Duration retention,
    @Nullable Duration dedupeWindow,
    @Nullable DataSize maxPayload,
    @DefaultValue("fail") TopicCheckMode topicCheck,
    @DefaultValue ModulithProperties modulith,
    @DefaultValue RelayProperties relay,
    @DefaultValue Map<String, ChannelProperties> channels,
    @DefaultValue ListenersProperties listeners,
    @DefaultValue Map<String, ConsumerProperties> consumers,
    @DefaultValue HttpProperties http,
    @DefaultValue TwoPhaseProperties twoPhase,
    @DefaultValue WorkflowProperties workflow,
    @DefaultValue ProjectionsProperties projections) {

  /**
   * Where no channel runs, and nobody else would forget the ids that are remembered.
   *
   * @param queues whether there are listeners of queues, which always remember them
   */
  boolean needsUpkeep(BooleanSupplier queues) {
    return relay.enabled()
        && channels.isEmpty()
        && (!http.idempotency().paths().isEmpty()
            || (listeners.enabled()
                && (consumers.values().stream().anyMatch(ConsumerProperties::remembersIds)
                    || queues.getAsBoolean())));
  }

  /** What to do about topics that cannot be written to. */
  public enum TopicCheckMode {
    /** The application does not start. */
    FAIL,
    /** It is logged. */
    WARN,
    /** Kafka is not asked. */
    OFF
  }

  /**
   * How events of Spring Modulith are externalized.
   *
   * @param enabled whether Holdfast externalizes them, in an application that has Modulith's events
   */
  public record ModulithProperties(@DefaultValue("true") boolean enabled) {}

  /**
   * How requests are received.
   *
   * @param idempotency those with an Idempotency-Key
   */
  public record HttpProperties(@DefaultValue HttpIdempotencyProperties idempotency) {}

  /**
   * How methods with {@link HoldfastListener}, {@link HoldfastJmsListener} and {@link
   * HoldfastRabbitListener} run in this process.
   *
   * @param enabled whether they do; without, no consumer is started, and properties of consumers
   *     are not looked at
   */
  public record ListenersProperties(@DefaultValue("true") boolean enabled) {}

  /**
   * How channels run in this process.
   *
   * @param enabled whether this process delivers; without, it only records, and another process has
   *     to run the channels
   * @param leaseDuration how long a leader that died is waited for
   * @param pageRecords most messages in one batch
   * @param pageSize most payload in one batch
   * @param longestPoll longest wait between two looks at an idle outbox when no hint comes
   * @param progressInterval how often progress is copied to the database
   * @param longestRetry longest wait between two attempts to reach a target
   */
  public record RelayProperties(
      @DefaultValue("true") boolean enabled,
      @DefaultValue("5s") Duration leaseDuration,
      @DefaultValue("10000") int pageRecords,
      @DefaultValue("8MB") DataSize pageSize,
      @DefaultValue("50ms") Duration longestPoll,
      @DefaultValue("1s") Duration progressInterval,
      @DefaultValue("5s") Duration longestRetry) {

    RelaySettings settings() {
      return new RelaySettings(
          leaseDuration,
          pageRecords,
          Math.toIntExact(pageSize.toBytes()),
          longestPoll,
          progressInterval,
          longestRetry);
    }
  }

  /**
   * A channel: topics that are delivered to one target.
   *
   * @param topics topics it takes, in which {@code *} stands for any characters
   * @param target kafka, kafka-plain (without transactions, at least once), webhook, jms, rabbitmq,
   *     or the name of a bean of the type dev.holdfast.outbox.Target
   * @param progressTopic compacted topic that holds its progress; only with kafka
   * @param source CloudEvents source of its messages; /holdfast/ and the channel's name when not
   *     set
   * @param properties settings of the Kafka producer that differ from those of spring.kafka
   * @param webhook where and how the target webhook sends
   * @param jms where and how the target jms sends
   * @param rabbitmq where and how the target rabbitmq sends
   */
  public record ChannelProperties(
      @DefaultValue List<String> topics,
      @DefaultValue("kafka") String target,
      @DefaultValue("holdfast-progress") String progressTopic,
      @Nullable String source,
      @DefaultValue Map<String, String> properties,
      @Nullable WebhookProperties webhook,
      @Nullable JmsProperties jms,
      @Nullable RabbitMqProperties rabbitmq) {

    /** Without the client's properties, among which may be passwords. */
    @Override
    public String toString() {
      return "settings of a channel of " + topics;
    }
  }

  /**
   * An HTTP endpoint. Prints neither its path, nor headers and secrets.
   *
   * @param url address that messages are sent to by POST
   * @param secrets what messages are signed with (whsec_ and Base64), at most 8; during a rotation
   *     the new and the old one
   * @param headers headers of every request, such as Authorization
   * @param lanes how many messages are under way at once, each of another key
   * @param timeout how long an answer is waited for
   * @param retryFor how long a message is tried again before the channel says that it is blocked
   * @param batchFor how long one batch may take
   * @param receiverKeepsKeysFor declares for how long the endpoint keeps keys
   */
  public record WebhookProperties(
      @DefaultValue("") String url,
      @DefaultValue List<String> secrets,
      @DefaultValue Map<String, String> headers,
      @DefaultValue("8") int lanes,
      @DefaultValue("5s") Duration timeout,
      @DefaultValue("2s") Duration retryFor,
      @DefaultValue("10s") Duration batchFor,
      @Nullable Duration receiverKeepsKeysFor) {
    @Override
    public String toString() {
      return "settings of a webhook";
    }
  }

  /**
   * A broker of JMS.
   *
   * @param connectionFactory name of the bean that connects to it, where there are several
   * @param destination queue or topic that all messages go to; what is named like the message's
   *     topic when not set
   * @param pubSub whether destinations are topics of JMS, which keep nothing for who comes later
   * @param messageGroups into how many groups keys are put (JMSXGroupID); none when not set
   * @param maxSize largest payload that the broker takes
   * @param artemisDeduplication for how long Artemis remembers ids, which lets it drop repeats
   */
  public record JmsProperties(
      @Nullable String connectionFactory,
      @Nullable String destination,
      @DefaultValue("false") boolean pubSub,
      @Nullable Integer messageGroups,
      @Nullable DataSize maxSize,
      @Nullable Duration artemisDeduplication) {
    static final JmsProperties DEFAULT = new JmsProperties(null, null, false, null, null, null);
  }

  /**
   * A broker of RabbitMQ. Prints no address, since a password may be in it.
   *
   * @param connectionFactory name of the bean (com.rabbitmq.client.ConnectionFactory) that connects
   *     to it, where there are several
   * @param uri address such as amqps://user:password@host/vhost, where there is no such bean
   * @param exchange exchange that all messages go to; the default one, which knows queues by their
   *     names, when not set
   * @param routingKey routing key of all messages; the message's topic when not set
   * @param confirmTimeout how long the broker may take to confirm
   */
  public record RabbitMqProperties(
      @Nullable String connectionFactory,
      @Nullable String uri,
      @DefaultValue("") String exchange,
      @Nullable String routingKey,
      @DefaultValue("30s") Duration confirmTimeout) {
    static final RabbitMqProperties DEFAULT =
        new RabbitMqProperties(null, null, "", null, Duration.ofSeconds(30));

    @Override
    public String toString() {
      return "settings of a RabbitMQ";
    }
  }

  /**
   * How operations across databases are run and recovered; all processes that use the same
   * databases should have the same.
   *
   * @param lockTimeout how long a statement waits for a lock, where the session does not say
   * @param decideWithin how long after it is about to prepare an operation may still be committed
   * @param recoverAfter how old a prepared branch has to be for others to ask about it
   * @param recoveryInterval how often that is looked for
   * @param keepDecisions how long a decision is kept after it was carried out
   * @param asynchronousSecondPhase whether an operation returns as soon as it is decided
   * @param pendingAtMost how many commits of decided operations may wait in this process
   */
  public record TwoPhaseProperties(
      @DefaultValue("5s") Duration lockTimeout,
      @DefaultValue("20s") Duration decideWithin,
      @DefaultValue("2s") Duration recoverAfter,
      @DefaultValue("5s") Duration recoveryInterval,
      @DefaultValue("10m") Duration keepDecisions,
      @DefaultValue("false") boolean asynchronousSecondPhase,
      @DefaultValue("100") int pendingAtMost) {

    TwoPhaseSettings settings() {
      return new TwoPhaseSettings(
          lockTimeout,
          decideWithin,
          recoverAfter,
          recoveryInterval,
          keepDecisions,
          asynchronousSecondPhase,
          pendingAtMost);
    }
  }

  /**
   * How this process runs workflows.
   *
   * @param enabled whether it does; without, it only starts and signals runs, and another process
   *     has to run them
   * @param lease how long after a process has died others take its runs over
   * @param pollInterval how often it is looked at the latest for runs that are due
   * @param inFlight how many runs this process executes at once
   * @param commitAtMost how many runs' records share a commit at most
   * @param valueSize how large an input, a result or a signal may be as JSON
   * @param keepEnded how long a run that has ended is kept
   */
  public record WorkflowProperties(
      @DefaultValue("true") boolean enabled,
      @DefaultValue("10s") Duration lease,
      @DefaultValue("1s") Duration pollInterval,
      @DefaultValue("128") int inFlight,
      @DefaultValue("256") int commitAtMost,
      @DefaultValue("1000000B") DataSize valueSize,
      @DefaultValue("7d") Duration keepEnded) {

    WorkflowSettings settings() {
      return new WorkflowSettings(
          lease,
          pollInterval,
          inFlight,
          commitAtMost,
          Math.toIntExact(valueSize.toBytes()),
          keepEnded);
    }
  }

  /**
   * How this process follows the event log: its beans of the types {@code Projection} and {@code
   * EventChannel}.
   *
   * @param enabled whether it does; without, it only appends, reads and awaits, and another process
   *     has to follow
   * @param batch how many events are read and applied in one transaction at most
   * @param attempts how often an event is tried by itself before its key is parked
   * @param retryWait how long is waited before the second attempt, doubled for each further one
   * @param lease how long after a process has died others take its slots over
   * @param pollInterval how long nothing is looked for where there was nothing
   */
  public record ProjectionsProperties(
      @DefaultValue("true") boolean enabled,
      @DefaultValue("500") int batch,
      @DefaultValue("5") int attempts,
      @DefaultValue("50ms") Duration retryWait,
      @DefaultValue("10s") Duration lease,
      @DefaultValue("100ms") Duration pollInterval) {

    ProjectionSettings settings() {
      return new ProjectionSettings(batch, attempts, retryWait, lease, pollInterval);
    }
  }
}
