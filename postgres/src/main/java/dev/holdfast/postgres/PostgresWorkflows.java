package dev.holdfast.postgres;

import dev.holdfast.DatabaseFailure;
import dev.holdfast.Message;
import dev.holdfast.StoreUnavailable;
import dev.holdfast.workflow.RunStatus;
import dev.holdfast.workflow.TooManySignals;
import dev.holdfast.workflow.WorkflowQueue;
import dev.holdfast.workflow.store.Entry;
import dev.holdfast.workflow.store.TakenOver;
import dev.holdfast.workflow.store.WorkflowStore;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Timestamp;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Runs in tables of the user's own database. What is appended locks the run's row in the state
 * table, READ COMMITTED; whoever takes a run over updates it, and skips what is locked.
 */
final class PostgresWorkflows implements WorkflowStore {
  /** A lock not had in time, a statement cancelled, a standby, no memory or connections. */
  private static final Set<String> PASSING =
      Set.of("55P03", "57014", "25006", "53000", "53100", "53200", "53300");

  private static final String TAKEN_OVER = "HF014";

  private static final Set<String> KINDS =
      Arrays.stream(Entry.Kind.values()).map(Entry.Kind::name).collect(Collectors.toSet());

  private static final String START =
      "select * from ${schema}.workflow_start(?, ?, ?, ?, ?, ?::jsonb, ?, ?::timestamptz, ?, ?, ?, ?, ?, ?)";

  private static final String START_ALL =
      "select * from ${schema}.workflow_start_all(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";

  private static final String APPEND =
      "select * from ${schema}.workflow_append(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?::jsonb)";

  private static final String APPEND_ONE =
      "select ${schema}.workflow_append_one(?, ?, ?, ?, ?, ?, ?, ?, ?)";

  private static final String COLUMNS =
      """
      w.run, s.turn, w.id, w.name, w.version, w.input, w.operation_id, w.attributes, w.parent,
      s.cancelled, s.deadline_at, s.running_since
      """;

  private static final String CLAIM =
      "select o_run, o_orphan from ${schema}.workflow_claim(?, ?, ?, ?)";

  /** In a later statement, which sees all that has been taken up. */
  private static final String CLAIMED =
      "select s.run = any (?) as o_orphan, "
          + COLUMNS
          + """
          from ${schema}.workflow w join ${schema}.workflow_state s on s.run = w.run
          where w.run = any (?) and s.executor = ?
          order by w.run
          """;

  private static final String NEXT =
      """
      select ${schema}.now(),
             (select min(d.at) from unnest(?) as one, lateral (
                select s.due_at as at from ${schema}.workflow_state s
                where s.status = 'PARKED' and s.due_at is not null and not s.held
                  and s.definition = one
                order by s.due_at limit 1) as d)
      """;

  private static final String OWN =
      "select true as o_orphan, "
          + COLUMNS
          + """
          from ${schema}.workflow_state s join ${schema}.workflow w on w.run = s.run
          where s.executor = ?
          """;

  /** Nothing of a run that is released has begun that is not recorded, or it is in doubt. */
  private static final String RELEASE =
      """
      with gone as (
        update ${schema}.workflow_executor set expires_at = ${schema}.now() - interval '1 ms'
        where executor = ?)
      select ${schema}.workflow_bury()
      """;

  private static final String STATUSES =
      """
      select w.run, w.id, w.name, w.version, s.status, s.unwinding, w.parent, s.reason,
             w.started_at,
             case when s.status = 'COMPLETED' then
               (select j.value from ${schema}.workflow_journal j
                where j.run = w.run and j.kind = 'COMPLETED' order by j.seq desc limit 1)
             end as value
      from ${schema}.workflow w join ${schema}.workflow_state s on s.run = w.run
      where w.id = any (?)
      """;

  private static final String OUTLINE =
      """
      select w.run, w.input, w.operation_id, j.entries,
             length(w.input::text) + j.characters + g.characters as characters
      from ${schema}.workflow w,
      lateral (select count(*) as entries,
                      coalesce(sum(length(e.value::text)), 0)
                        + coalesce(sum(length(e.step)), 0) + coalesce(sum(length(e.note)), 0) as characters
               from ${schema}.workflow_journal e where e.run = w.run) j,
      lateral (select coalesce(sum(length(s.value::text)), 0) as characters
               from ${schema}.workflow_signal s where s.run = w.run) g
      where w.id = ?
      """;

  private static final String BACKLOG =
      """
      select (select count(*) from (select from ${schema}.workflow_state
                                    where executor is not null limit ?) as r) as running,
             (select count(*) from (select from ${schema}.workflow_state
                                    where status = 'STUCK' limit ?) as s) as stuck,
             (select coalesce(extract(epoch from greatest(${schema}.now() - min(d.at), '0')), 0)
              from unnest(?) as one, lateral (
                select s.due_at as at from ${schema}.workflow_state s
                where s.status = 'PARKED' and s.due_at is not null and not s.held
                  and s.definition = one
                order by s.due_at limit 1) as d) as overdue
      """;

  private static final String CANCEL =
      """
      with asked as (
        update ${schema}.workflow_state s
        set cancelled = coalesce(s.cancelled, ?), held = false,
            due_at = case when s.status = 'PARKED' then ${schema}.now() end
        from ${schema}.workflow w
        where w.run = s.run and w.id = ? and s.status in ('PARKED', 'RUNNING', 'STUCK')
        returning s.run)
      insert into ${schema}.workflow_audit (run, who, action, note)
      select run, ?, 'cancel', ? from asked
      """;

  /** They are read whenever the run is taken up. */
  private static final int SIGNALS_AT_MOST = 1_000;

  /** Says how many there were, up to so many, and whether there is a run at all. */
  private static final String SIGNAL =
      """
      with receiver as (
        select w.run, (select count(*) from (
                         select from ${schema}.workflow_signal g where g.run = w.run limit ?) as f) as waiting
        from ${schema}.workflow w join ${schema}.workflow_state s on s.run = w.run
        where w.id = ? and s.status in ('PARKED', 'RUNNING', 'STUCK'))
      , sent as (
        insert into ${schema}.workflow_signal (run, name, value)
        select r.run, ?, ?::json from receiver r where r.waiting < ?)
      select waiting from receiver
      """;

  private static final String FORGET =
      """
      with old as (
        select run from ${schema}.workflow_state
        where status in ('COMPLETED', 'FAILED', 'CANCELLED')
          and changed_at <= ${schema}.now() - ? * interval '1 ms'
          and not exists (
            select from ${schema}.workflow w join ${schema}.workflow_state p on p.run = w.parent
            where w.run = workflow_state.run
              and (p.status in ('PARKED', 'RUNNING', 'STUCK')
                   -- It can be restarted, and may then have to be undone.
                   or p.changed_at > ${schema}.now() - ? * interval '1 ms'))
        order by changed_at limit ? for update skip locked)
      , a as (delete from ${schema}.workflow_journal j using old where j.run = old.run)
      , b as (delete from ${schema}.workflow_signal g using old where g.run = old.run)
      , c as (delete from ${schema}.workflow_audit u using old where u.run = old.run)
      , d as (delete from ${schema}.workflow w using old where w.run = old.run)
      delete from ${schema}.workflow_state s using old where s.run = old.run
      """;

  private final Database database;

  PostgresWorkflows(Database database) {
    this.database = database;
  }

  @Override
  public UUID storeId() {
    return database.transact(
        "read which store this is",
        connection ->
            database
                .one(
                    connection,
                    "select store_id from ${schema}.store",
                    row -> row.getObject(1, UUID.class))
                .orElseThrow());
  }

  @Override
  public long register(String owner, Duration lease) {
    return database.transact(
        "register an executor",
        connection ->
            database
                .one(
                    connection,
                    """
                    insert into ${schema}.workflow_executor (owner, expires_at)
                    values (?, ${schema}.now() + ? * interval '1 ms') returning executor
                    """,
                    row -> row.getLong(1),
                    owner,
                    lease.toMillis())
                .orElseThrow());
  }

  /** One that has expired is not revived: others may have taken its runs over. */
  @Override
  public boolean renew(long executor, Duration lease) {
    return database.updateAlone(
            "renew the lease of executor " + executor,
            """
            update ${schema}.workflow_executor set expires_at = ${schema}.now() + ? * interval '1 ms'
            where executor = ? and expires_at > ${schema}.now()
            """,
            lease.toMillis(),
            executor)
        > 0;
  }

  @Override
  public void release(long executor) {
    database.write(
        "release executor " + executor, connection -> database.call(connection, RELEASE, executor));
  }

  @Override
  public Started start(Connection connection, NewRun run, @Nullable Long executor)
      throws SQLException {
    return database
        .one(
            connection,
            START,
            PostgresWorkflows::started,
            run.id(),
            run.name(),
            run.version(),
            run.input(),
            run.operationId(),
            Headers.toJson(run.attributes()),
            millis(run.delay()),
            at(run),
            millis(run.deadline()),
            run.queue(),
            run.queueKey(),
            executor,
            run.parent(),
            run.parentSignal())
        .orElseThrow();
  }

  private static @Nullable Long millis(@Nullable Duration time) {
    return time == null ? null : time.toMillis();
  }

  private static @Nullable Instant instant(ResultSet row, String column) throws SQLException {
    Timestamp at = row.getTimestamp(column);
    return at == null ? null : at.toInstant();
  }

  @Override
  public Started startAlone(NewRun run, @Nullable Long executor) {
    return alone("start run " + run.id(), connection -> start(connection, run, executor));
  }

  @Override
  public List<Started> startAll(List<Start> starts) {
    List<NewRun> runs = starts.stream().map(Start::run).toList();
    return alone(
        "start " + runs.size() + " run(s)",
        connection -> {
          try (PreparedStatement statement = database.prepare(connection, START_ALL)) {
            set(statement, 1, "text", runs, NewRun::id);
            set(statement, 2, "text", runs, NewRun::name);
            set(statement, 3, "integer", runs, NewRun::version);
            set(statement, 4, "text", runs, NewRun::input);
            set(statement, 5, "text", runs, NewRun::operationId);
            set(statement, 6, "text", runs, run -> Headers.toJson(run.attributes()));
            set(statement, 7, "bigint", runs, run -> millis(run.delay()));
            set(statement, 8, "timestamptz", runs, PostgresWorkflows::at);
            set(statement, 9, "bigint", runs, run -> millis(run.deadline()));
            set(statement, 10, "text", runs, NewRun::queue);
            set(statement, 11, "text", runs, NewRun::queueKey);
            set(statement, 12, "bigint", starts, Start::executor);
            List<Started> started = new ArrayList<>();
            try (ResultSet rows = statement.executeQuery()) {
              while (rows.next()) {
                started.add(started(rows));
              }
            }
            return started;
          }
        });
  }

  private static Started started(ResultSet row) throws SQLException {
    return new Started(
        row.getLong("o_run"),
        row.getBoolean("o_new"),
        row.getBoolean("o_same"),
        instant(row, "o_deadline"));
  }

  private static @Nullable String at(NewRun run) {
    return run.startAt() == null ? null : run.startAt().toString();
  }

  /** One statement in a commit of its own, and one round trip. What is appended is flushed. */
  private <T> T alone(String doing, Database.Work<T> work) {
    try (Connection connection = database.dataSource().getConnection()) {
      connection.setAutoCommit(true);
      return work.run(connection);
    } catch (SQLException e) {
      throw SqlErrors.translate(doing, e);
    }
  }

  @Override
  public Claims claim(long executor, List<String> definitions, int limit, boolean withOrphans) {
    return alone(
        "take up workflows",
        connection -> {
          java.sql.Array names = connection.createArrayOf("text", definitions.toArray());
          List<Claimed> runs =
              limit == 0 ? List.of() : claim(connection, executor, names, limit, withOrphans);
          return database
              .one(
                  connection,
                  NEXT,
                  row ->
                      new Claims(
                          runs,
                          row.getTimestamp(1).toInstant(),
                          row.getTimestamp(2) == null ? null : row.getTimestamp(2).toInstant()),
                  names)
              .orElseThrow();
        });
  }

  private List<Claimed> claim(
      Connection connection, long executor, java.sql.Array names, int limit, boolean withOrphans)
      throws SQLException {
    List<Long> all = new ArrayList<>();
    List<Long> orphans = new ArrayList<>();
    database.many(
        connection,
        CLAIM,
        row -> all.add(row.getLong(1)) && row.getBoolean(2) && orphans.add(row.getLong(1)),
        executor,
        names,
        limit,
        withOrphans);
    return all.isEmpty()
        ? List.of()
        : database.many(
            connection,
            CLAIMED,
            PostgresWorkflows::claimed,
            connection.createArrayOf("bigint", orphans.toArray()),
            connection.createArrayOf("bigint", all.toArray()),
            executor);
  }

  private static Claimed claimed(ResultSet row) throws SQLException {
    return new Claimed(
        row.getLong("run"),
        row.getInt("turn"),
        row.getString("id"),
        row.getString("name"),
        row.getInt("version"),
        row.getString("input"),
        row.getString("operation_id"),
        Headers.fromJson(row.getString("attributes")),
        row.getObject("parent", Long.class),
        row.getString("cancelled"),
        instant(row, "deadline_at"),
        row.getBoolean("o_orphan") ? instant(row, "running_since") : null);
  }

  @Override
  public Admission admit(WorkflowQueue queue, List<String> definitions, int limit) {
    return alone(
        "let runs of queue " + queue.name() + " in",
        connection ->
            database
                .one(
                    connection,
                    "select *, ${schema}.now() as o_now"
                        + " from ${schema}.workflow_admit(?, ?, ?, ?, ?, ?, ?)",
                    row ->
                        new Admission(
                            row.getInt("o_admitted"),
                            row.getBoolean("o_more"),
                            row.getTimestamp("o_now").toInstant(),
                            instant(row, "o_next")),
                    queue.name(),
                    connection.createArrayOf("text", definitions.toArray()),
                    queue.concurrency(),
                    queue.perKey(),
                    queue.rate(),
                    millis(queue.per()),
                    limit)
                .orElseThrow());
  }

  @Override
  public List<Claimed> own(long executor) {
    return alone(
        "look for runs of executor " + executor,
        connection -> database.many(connection, OWN, PostgresWorkflows::claimed, executor));
  }

  @Override
  public Optional<Claimed> retake(long executor, long run) {
    return database.transact(
        "take up run " + run + " once more",
        connection -> {
          database.update(
              connection,
              """
              update ${schema}.workflow_state set turn = turn + 1 where run = ? and executor = ?
              """,
              run,
              executor);
          return database.one(
              connection, OWN + " and s.run = ?", PostgresWorkflows::claimed, executor, run);
        });
  }

  @Override
  public Map<Long, History> histories(Collection<Long> runs) {
    return database.transact(
        "read the journals of " + runs.size() + " run(s)",
        connection -> {
          java.sql.Array ids = connection.createArrayOf("bigint", runs.toArray());
          Map<Long, History> result = new HashMap<>();
          database.many(
              connection,
              """
              select run, seq, kind, step, value, note, at from ${schema}.workflow_journal
              where run = any (?) order by run, seq
              """,
              row -> of(result, row.getLong(1)).entries().add(entry(row)),
              ids);
          database.many(
              connection,
              """
              select run, number, name, value, note from ${schema}.workflow_signal
              where run = any (?) order by number
              """,
              row ->
                  of(result, row.getLong(1))
                      .signals()
                      .add(
                          new Signal(
                              row.getLong(2),
                              row.getString(3),
                              row.getString(4),
                              row.getString(5))),
              ids);
          return result;
        });
  }

  private static History of(Map<Long, History> all, long run) {
    return all.computeIfAbsent(run, id -> new History(new ArrayList<>(), new ArrayList<>()));
  }

  private static Entry entry(ResultSet row) throws SQLException {
    String kind = row.getString("kind");
    boolean isKnown = KINDS.contains(kind);
    return new Entry(
        row.getInt("seq"),
        isKnown ? Entry.Kind.valueOf(kind) : Entry.Kind.FOREIGN,
        row.getString("step"),
        row.getString("value"),
        isKnown ? row.getString("note") : kind,
        row.getTimestamp("at").toInstant());
  }

  @Override
  public Map<Long, Optional<String>> append(long executor, List<Append> appends) {
    try {
      return appendAll(executor, appends);
    } catch (DatabaseFailure e) {
      if (e.getCause() instanceof SQLException cause
          && (SqlErrors.isRetryable(cause) || PASSING.contains(SqlErrors.state(cause)))) {
        throw new StoreUnavailable(
            "An append to %,d run(s) was refused for a reason that passes (%s). Nothing of it was written, and it is repeated."
                .formatted(appends.size(), SqlErrors.state(cause)),
            e);
      }
      throw e;
    }
  }

  private Map<Long, Optional<String>> appendAll(long executor, List<Append> appends) {
    return alone(
        "append to " + appends.size() + " run(s)",
        connection -> {
          List<Flat> entries = new ArrayList<>();
          List<Long> received = new ArrayList<>();
          for (Append append : appends) {
            append.entries().forEach(entry -> entries.add(new Flat(append.run(), entry)));
            received.addAll(append.received());
          }
          Map<Long, Optional<String>> owned = new HashMap<>();
          try (PreparedStatement statement = database.prepare(connection, APPEND)) {
            statement.setLong(1, executor);
            set(statement, 2, "bigint", appends, Append::run);
            set(statement, 3, "integer", appends, Append::turn);
            set(statement, 4, "text", appends, append -> status(append.change()));
            set(statement, 5, "timestamptz", appends, append -> due(append.change()));
            set(statement, 6, "boolean", appends, append -> endsEarly(append.change()));
            set(statement, 7, "text", appends, append -> waits(connection, append.change()));
            set(statement, 8, "text", appends, append -> reason(append.change()));
            set(statement, 9, "bigint", entries, Flat::run);
            set(statement, 10, "integer", entries, flat -> flat.entry().seq());
            set(statement, 11, "text", entries, flat -> flat.entry().kind().name());
            set(statement, 12, "text", entries, flat -> flat.entry().step());
            set(statement, 13, "text", entries, flat -> flat.entry().value());
            set(statement, 14, "text", entries, flat -> flat.entry().note());
            set(statement, 15, "bigint", received, number -> number);
            statement.setString(16, children(appends));
            try (ResultSet rows = statement.executeQuery()) {
              while (rows.next()) {
                owned.put(rows.getLong(1), Optional.ofNullable(rows.getString(2)));
              }
            }
          }
          return owned;
        });
  }

  private record Flat(long run, Entry entry) {}

  private static <T> void set(
      PreparedStatement statement,
      int index,
      String type,
      List<T> rows,
      Function<T, @Nullable Object> part)
      throws SQLException {
    statement.setArray(
        index, statement.getConnection().createArrayOf(type, rows.stream().map(part).toArray()));
  }

  private static @Nullable String status(Change change) {
    if (change instanceof Change.Park) {
      return RunStatus.PARKED.name();
    }
    if (change instanceof Change.Stick) {
      return RunStatus.STUCK.name();
    }
    return change instanceof Change.End end ? end.status().name() : null;
  }

  private static @Nullable String due(Change change) {
    Instant due = change instanceof Change.Park park ? park.due() : null;
    Instant time = change instanceof Change.Stick stick ? stick.begunSince() : due;
    return time == null ? null : time.toString();
  }

  private static boolean endsEarly(Change change) {
    return change instanceof Change.Park park && park.endsEarly();
  }

  /** An array's text: the driver quotes what it has to. */
  private static String waits(Connection connection, Change change) {
    if (!(change instanceof Change.Park park)) {
      return "{}";
    }
    try {
      return connection.createArrayOf("text", park.signals().toArray()).toString();
    } catch (SQLException e) {
      throw SqlErrors.translate("park a run", e);
    }
  }

  private static @Nullable String reason(Change change) {
    if (change instanceof Change.Stick stick) {
      return stick.reason();
    }
    return change instanceof Change.End end ? end.reason() : null;
  }

  private static @Nullable String children(List<Append> appends) {
    List<String> all = new ArrayList<>();
    for (Append append : appends) {
      for (NewRun child : append.children()) {
        Map<String, String> text = new HashMap<>();
        text.put("id", child.id());
        text.put("name", child.name());
        text.put("version", Integer.toString(child.version()));
        text.put("input", child.input());
        text.put("operation", child.operationId());
        text.put("parent", String.valueOf(child.parent()));
        text.put("signal", String.valueOf(child.parentSignal()));
        text.put("attributes", Headers.toJson(child.attributes()));
        all.add(Headers.toJson(text));
      }
    }
    return all.isEmpty() ? null : "[" + String.join(",", all) + "]";
  }

  @Override
  public Optional<String> appendAndCommit(
      Connection connection, long executor, Append append, List<Message> messages, String operation)
      throws SQLException {
    return appendOne(connection, executor, append, messages, operation, "; commit");
  }

  @Override
  public Optional<String> append(
      Connection connection, long executor, Append append, List<Message> messages, String operation)
      throws SQLException {
    return appendOne(connection, executor, append, messages, operation, "");
  }

  private Optional<String> appendOne(
      Connection connection,
      long executor,
      Append append,
      List<Message> messages,
      String operation,
      String behind)
      throws SQLException {
    String sql = (messages.isEmpty() ? "" : PostgresWriter.PUBLISH + "; ") + APPEND_ONE + behind;
    List<Entry> entries = append.entries();
    try (PreparedStatement statement = connection.prepareStatement(database.schema().in(sql))) {
      int next =
          messages.isEmpty() ? 1 : PostgresWriter.bind(connection, statement, operation, messages);
      statement.setLong(next, executor);
      statement.setLong(next + 1, append.run());
      statement.setInt(next + 2, append.turn());
      set(statement, next + 3, "integer", entries, Entry::seq);
      set(statement, next + 4, "text", entries, entry -> entry.kind().name());
      set(statement, next + 5, "text", entries, Entry::step);
      set(statement, next + 6, "text", entries, Entry::value);
      set(statement, next + 7, "text", entries, Entry::note);
      statement.setString(next + 8, status(append.change()));
      statement.execute();
      if (!messages.isEmpty()) {
        statement.getMoreResults();
      }
      try (ResultSet row = statement.getResultSet()) {
        row.next();
        return Optional.ofNullable(row.getString(1));
      }
    } catch (SQLException e) {
      throw SqlErrors.state(e).equals(TAKEN_OVER) ? new TakenOver(e) : e;
    }
  }

  @Override
  public Found find(long executor, long run, int turn, int seq) {
    return database.transact(
        "look for what became of a step",
        connection -> {
          boolean isOwned =
              database
                  .one(
                      connection,
                      """
                      select 1 from ${schema}.workflow_state
                      where run = ? and executor = ? and turn = ? for no key update
                      """,
                      row -> 1,
                      run,
                      executor,
                      turn)
                  .isPresent();
          // A later statement, which sees what the first one waited for.
          return new Found(
              isOwned,
              database
                  .one(
                      connection,
                      """
                      select seq, kind, step, value, note, at from ${schema}.workflow_journal
                      where run = ? and seq = ?
                      """,
                      PostgresWorkflows::entry,
                      run,
                      seq)
                  .orElse(null));
        });
  }

  @Override
  public boolean signal(Connection connection, String id, String name, String value)
      throws SQLException {
    Optional<Long> waiting =
        database.one(
            connection,
            SIGNAL,
            row -> row.getLong(1),
            SIGNALS_AT_MOST,
            id,
            name,
            value,
            SIGNALS_AT_MOST);
    if (waiting.isPresent() && waiting.get() >= SIGNALS_AT_MOST) {
      throw new TooManySignals(id, SIGNALS_AT_MOST);
    }
    return waiting.isPresent();
  }

  @Override
  public boolean signalAlone(String id, String name, String value) {
    return alone("signal run " + id, connection -> signal(connection, id, name, value));
  }

  @Override
  public Map<String, Status> statuses(Collection<String> ids) {
    return alone(
        "read where runs are",
        connection -> {
          Map<String, Status> result = new HashMap<>();
          for (Status status :
              database.many(
                  connection,
                  STATUSES,
                  PostgresWorkflows::status,
                  connection.createArrayOf("text", ids.toArray()))) {
            result.put(status.id(), status);
          }
          return result;
        });
  }

  @Override
  public Optional<Outline> outline(String id) {
    return alone(
        "read how much there is of run " + id,
        connection ->
            database.one(
                connection,
                OUTLINE,
                row ->
                    new Outline(
                        row.getLong("run"),
                        row.getString("input"),
                        row.getString("operation_id"),
                        row.getLong("entries"),
                        row.getLong("characters")),
                id));
  }

  @Override
  public Backlog backlog(Collection<String> definitions) {
    return alone(
        "count runs",
        connection ->
            database
                .one(
                    connection,
                    BACKLOG,
                    row ->
                        new Backlog(
                            row.getLong("running"),
                            row.getLong("stuck"),
                            Duration.ofMillis((long) (row.getDouble("overdue") * 1_000))),
                    Backlog.COUNTED,
                    Backlog.COUNTED,
                    connection.createArrayOf("text", definitions.toArray()))
                .orElseThrow());
  }

  private static Status status(ResultSet row) throws SQLException {
    return new Status(
        row.getLong("run"),
        row.getString("id"),
        row.getString("name"),
        row.getInt("version"),
        RunStatus.valueOf(row.getString("status")),
        row.getBoolean("unwinding"),
        row.getObject("parent", Long.class),
        row.getString("value"),
        row.getString("reason"),
        row.getTimestamp("started_at").toInstant());
  }

  @Override
  public boolean cancel(String id, String reason, String who) {
    return database.transact(
            "cancel run " + id,
            connection -> database.update(connection, CANCEL, reason, id, who, reason))
        > 0;
  }

  @Override
  public boolean resume(
      String id, @Nullable Integer last, List<Entry> entries, String who, String note) {
    return byHand(
        id,
        last,
        who,
        "resume",
        note,
        (connection, run) -> {
          add(
              connection,
              run,
              List.of(new Entry(1, Entry.Kind.RESUMED, "", null, note, Instant.EPOCH)));
          add(connection, run, entries);
          database.update(
              connection,
              """
              update ${schema}.workflow_state
              set status = 'PARKED', due_at = ${schema}.now(), reason = null,
                  changed_at = ${schema}.now()
              where run = ?
              """,
              run);
        });
  }

  @Override
  public boolean restart(long run, int last, Entry entry, String who, String note) {
    return database.transact(
        "restart run " + run,
        connection -> {
          // Behind the lock nobody appends; whoever has appended before is seen.
          boolean isSame =
              database
                  .one(
                      connection,
                      """
                      select 1 from ${schema}.workflow_state s
                      where s.run = ? and s.status in ('STUCK', 'COMPLETED', 'FAILED', 'CANCELLED')
                      for no key update
                      """,
                      row -> 1,
                      run)
                  .isPresent();
          if (!isSame || last(connection, run) != last) {
            return false;
          }
          add(connection, run, List.of(entry));
          database.update(
              connection,
              """
              update ${schema}.workflow_state
              set status = 'PARKED', due_at = ${schema}.now(), reason = null, unwinding = false,
                  cancelled = null, deadline_at = null, running_since = null,
                  changed_at = ${schema}.now(),
                  -- One that is stuck still has its place.
                  held = queue is not null and (status <> 'STUCK' or admitted_at is null)
              where run = ?
              """,
              run);
          audit(connection, run, who, "restart " + entry.step(), note);
          return true;
        });
  }

  private int last(Connection connection, long run) throws SQLException {
    return database
        .one(
            connection,
            "select max(seq) from ${schema}.workflow_journal where run = ?",
            row -> row.getInt(1),
            run)
        .orElse(0);
  }

  private void audit(Connection connection, long run, String who, String action, String note)
      throws SQLException {
    database.update(
        connection,
        "insert into ${schema}.workflow_audit (run, who, action, note) values (?, ?, ?, ?)",
        run,
        who,
        action,
        note);
  }

  @Override
  public Child undoChild(long executor, long parent, int turn, String id, String reason) {
    return alone(
        "undo run " + id,
        connection ->
            database
                .one(
                    connection,
                    "select * from ${schema}.workflow_undo_child(?, ?, ?, ?, ?)",
                    row -> {
                      String status = row.getString("o_status");
                      return new Child(
                          row.getBoolean("o_owned"),
                          status == null ? null : RunStatus.valueOf(status));
                    },
                    executor,
                    parent,
                    turn,
                    id,
                    reason)
                .orElseThrow());
  }

  @Override
  public boolean end(String id, RunStatus status, @Nullable String value, String who, String note) {
    return byHand(
        id,
        null,
        who,
        "end as " + status,
        note,
        (connection, run) -> {
          add(
              connection,
              run,
              List.of(
                  new Entry(1, Entry.Kind.valueOf(status.name()), "", value, note, Instant.EPOCH)));
          database.update(
              connection,
              """
              update ${schema}.workflow_state
              set status = ?, reason = ?, unwinding = false, changed_at = ${schema}.now()
              where run = ?
              """,
              status.name(),
              note,
              run);
          database.update(
              connection,
              """
              insert into ${schema}.workflow_signal (run, name, value, note)
              select w.parent, w.parent_signal, ?::json, ?
              from ${schema}.workflow w join ${schema}.workflow p on p.run = w.parent
              where w.run = ?
              """,
              value,
              note,
              run);
        });
  }

  /** What is done by hand to a run. */
  @FunctionalInterface
  private interface ByHand {
    void run(Connection connection, long run) throws SQLException;
  }

  private boolean byHand(
      String id, @Nullable Integer last, String who, String action, String note, ByHand work) {
    return database.transact(
        action + " run " + id,
        connection -> {
          Optional<Long> run =
              database.one(
                  connection,
                  """
                  select s.run from ${schema}.workflow_state s
                  join ${schema}.workflow w on w.run = s.run
                  where w.id = ? and s.status = 'STUCK' for no key update of s
                  """,
                  row -> row.getLong(1),
                  id);
          if (run.isEmpty() || (last != null && last(connection, run.get()) != last)) {
            return false;
          }
          work.run(connection, run.get());
          audit(connection, run.get(), who, action, note);
          return true;
        });
  }

  private void add(Connection connection, long run, List<Entry> entries) throws SQLException {
    for (Entry entry : entries) {
      database.update(
          connection,
          """
          insert into ${schema}.workflow_journal (run, seq, kind, step, value, note)
          select ?, coalesce(max(seq), 0) + 1, ?, ?, ?::json, ?
          from ${schema}.workflow_journal where run = ?
          """,
          run,
          entry.kind().name(),
          entry.step(),
          entry.value(),
          entry.note(),
          run);
    }
  }

  @Override
  public int forget(Duration age, int limit) {
    return database.transact(
        "forget runs that have ended",
        connection -> {
          database.call(connection, "select ${schema}.workflow_bury()");
          return database.update(connection, FORGET, age.toMillis(), age.toMillis(), limit);
        });
  }
}
