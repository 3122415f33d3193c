-- Holdfast, version 7: reservations and semantic locks. ${schema} is replaced by the schema's name.
-- Released migrations are never changed. Waits for nobody but those who read the view
-- operation_event.
--
-- Units are taken under the lock of a stripe, and given back by an insert, which waits for nobody.
-- In every snapshot: capacity = free of all stripes + returned of all changes + held + confirmed.
-- See decision 12.

-- How long what is resolved is kept; one row, for all processes.
create table ${schema}.reservation_settings (
  only_row     boolean primary key default true check (only_row),
  retention_ms bigint not null default 604800000 check (retention_ms >= 1000)
);
insert into ${schema}.reservation_settings default values;

-- A named number of units. Written by whoever has locked all its stripes, or the first of them.
create table ${schema}.stock (
  name     text primary key check (char_length(name) between 1 and 200),
  capacity bigint not null check (capacity between 0 and 1000000000000000000),
  -- Confirmed by reservations that are forgotten by now.
  sold     bigint not null default 0 check (sold between 0 and capacity)
);

-- The units that can be had, in parts, so that those who reserve do not wait for one another. Below
-- zero it cannot go, whatever a function does. Half a page is left for versions that no index sees.
create table ${schema}.stock_stripe (
  stock  text not null references ${schema}.stock,
  stripe smallint not null check (stripe between 0 and 63),
  free   bigint not null check (free >= 0),
  primary key (stock, stripe)
) with (fillfactor = 50);

-- What has come back and is not in a stripe yet, and what was confirmed and is forgotten. Inserted by
-- anybody; moved on by whoever has locked the stock's first stripe.
create table ${schema}.stock_change (
  stock    text not null,
  id       bigint generated always as identity,
  returned bigint not null default 0 check (returned >= 0),
  sold     bigint not null default 0 check (sold >= 0),
  primary key (stock, id)
);

-- No more of anything than there was.
create function ${schema}.is_part(p_part bigint[], p_whole bigint[]) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp as $$
  select cardinality(p_part) = cardinality(p_whole)
    and not exists (select from unnest(p_part, p_whole) as u(part, whole)
                    where part is null or part < 0 or part > whole)
$$;

-- One row for each id, whose unique index lets one transaction in and the others wait: to hold, to
-- resolve, or to fence an id that has never been held. Resolved once.
create table ${schema}.reservation (
  id           text primary key check (char_length(id) between 1 and 200),
  state        text not null check (state in ('HELD', 'CONFIRMED', 'CANCELLED', 'EXPIRED')),
  stocks       text[] not null, -- by name; none: cancelled without having been held
  quantities   bigint[] not null,
  confirmed    bigint[],
  operation_id text,
  reserved_at  timestamptz,
  expires_at   timestamptz,
  resolved_at  timestamptz,
  resolved_by  text, -- an operation; null where time has done it
  check (cardinality(stocks) = cardinality(quantities) and 0 < all (quantities)),
  check ((state = 'HELD') = (resolved_at is null)),
  check ((stocks = '{}') = (reserved_at is null) and (stocks = '{}') = (expires_at is null)),
  check (stocks <> '{}' or state = 'CANCELLED'),
  check ((state = 'CONFIRMED') = (confirmed is not null)),
  check (confirmed is null or ${schema}.is_part(confirmed, quantities))
);
create index reservation_due on ${schema}.reservation (expires_at) where state = 'HELD';
create index reservation_resolved on ${schema}.reservation (resolved_at) where state <> 'HELD';

-- Whoever updates the table by other means than the functions below is stopped as well.
create function ${schema}.resolved_once() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
  raise exception using errcode = 'HF023',
    message = format('The reservation %s is %s already, and is resolved once only.', old.id,
                     lower(old.state));
end $$;

create trigger resolved_once before update on ${schema}.reservation
  for each row when (old.state <> 'HELD') execute function ${schema}.resolved_once();

-- Drawn when the lock's row is locked, so that later holders of a lock have greater ones. Flushed with
-- the commit that takes the lock.
create sequence ${schema}.semantic_lock_token as bigint cache 1;

create table ${schema}.semantic_lock (
  name         text primary key check (char_length(name) between 1 and 200),
  owner        text not null check (char_length(owner) between 1 and 200),
  token        bigint not null,
  operation_id text,
  acquired_at  timestamptz not null,
  expires_at   timestamptz not null
);
create index semantic_lock_expired on ${schema}.semantic_lock (expires_at);

-- Resolves what is due and nobody is resolving, and gives its units back; waits for nobody. READ
-- COMMITTED: the state is looked at again when the row is locked.
create function ${schema}.expire_reservations(p_limit integer, p_stock text default null)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_now timestamptz := ${schema}.now();
  expired integer;
begin
  with due as materialized (
    select r.id from ${schema}.reservation r
    where r.state = 'HELD' and r.expires_at <= v_now
      and (p_stock is null or p_stock = any (r.stocks))
    order by r.expires_at limit p_limit
    for no key update skip locked
  ), gone as (
    update ${schema}.reservation r set state = 'EXPIRED', resolved_at = v_now
    from due where r.id = due.id
    returning r.stocks, r.quantities
  ), back as (
    insert into ${schema}.stock_change (stock, returned)
    select u.stock, sum(u.quantity)
    from gone g cross join unnest(g.stocks, g.quantities) as u(stock, quantity)
    group by u.stock
  )
  select count(*) into expired from gone;
  return expired;
end $$;

-- Deletes what was resolved longer ago than it is kept; waits for nobody.
create function ${schema}.forget_reservations(p_limit integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_before timestamptz := ${schema}.now() - (
    select s.retention_ms * interval '1 ms' from ${schema}.reservation_settings s);
  forgotten integer;
begin
  with old as materialized (
    select r.id from ${schema}.reservation r
    where r.state <> 'HELD' and r.resolved_at < v_before
    order by r.resolved_at limit p_limit
    for update skip locked
  ), gone as (
    delete from ${schema}.reservation r using old where r.id = old.id
    returning r.stocks, r.confirmed
  ), counted as (
    insert into ${schema}.stock_change (stock, sold)
    select u.stock, sum(u.quantity)
    from gone g cross join unnest(g.stocks, g.confirmed) as u(stock, quantity)
    where u.quantity > 0
    group by u.stock
  )
  select count(*) into forgotten from gone;
  with old as materialized (
    select l.name from ${schema}.semantic_lock l where l.expires_at < v_before
    order by l.expires_at limit p_limit
    for update skip locked
  )
  delete from ${schema}.semantic_lock l using old where l.name = old.name;
  return forgotten;
end $$;

-- Divides units among the stripes named, which the caller has locked.
create function ${schema}.spread_stock(p_stock text, p_stripes smallint[], p_units bigint)
returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update ${schema}.stock_stripe s set free = x.share
  from (select u.stripe, p_units / cardinality(p_stripes)
               + case when u.n <= p_units % cardinality(p_stripes) then 1 else 0 end as share
        from unnest(p_stripes) with ordinality as u(stripe, n)) x
  where s.stock = p_stock and s.stripe = x.stripe and s.free <> x.share
$$;

-- Takes some of what has come back out of the changes. The caller has locked the first stripe, and so
-- is the only one.
create function ${schema}.collect_changes(p_stock text, p_limit integer, out moved integer,
                                          out returned bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  forgotten bigint;
begin
  with gone as (
    delete from ${schema}.stock_change c
    where c.stock = p_stock
      and c.id in (select d.id from ${schema}.stock_change d
                   where d.stock = p_stock order by d.id limit p_limit)
    returning c.returned, c.sold
  )
  select count(*), coalesce(sum(g.returned), 0), coalesce(sum(g.sold), 0)
    into moved, returned, forgotten
  from gone g;
  if forgotten > 0 then
    update ${schema}.stock s set sold = s.sold + forgotten where s.name = p_stock;
  end if;
end $$;

-- Moves what has come back into those stripes that nobody has locked; waits for nobody.
create function ${schema}.fold_stocks(p_stocks integer, p_changes integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  each text;
  part record;
  stripes smallint[];
  units bigint;
  changes record;
  folded integer := 0;
begin
  for each in select distinct c.stock from ${schema}.stock_change c limit p_stocks loop
    stripes := '{}';
    units := 0;
    for part in
      select s.stripe, s.free from ${schema}.stock_stripe s where s.stock = each
      order by s.stripe for no key update skip locked
    loop
      stripes := stripes || part.stripe;
      units := units + part.free;
    end loop;
    if 0 = any (stripes) then
      changes := ${schema}.collect_changes(each, p_changes);
      perform ${schema}.spread_stock(each, stripes, units + changes.returned);
      folded := folded + changes.moved;
    end if;
  end loop;
  return folded;
end $$;

-- Locks all of a stock's stripes, in order, and counts what can be had: what is free, and as far as
-- it is needed what has come back and what is due. The caller has to spread what is left.
create function ${schema}.gather_stock(
  p_stock text, p_needed bigint, out stripes smallint[], out units bigint)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  part record;
  changes record;
begin
  loop
    stripes := '{}';
    units := 0;
    for part in
      select s.stripe, s.free from ${schema}.stock_stripe s where s.stock = p_stock
      order by s.stripe for no key update
    loop
      stripes := stripes || part.stripe;
      units := units + part.free;
    end loop;
    -- Those that were added while the first was waited for are seen by the next statement.
    exit when not exists (select from ${schema}.stock_stripe s
                          where s.stock = p_stock and s.stripe <> all (stripes));
  end loop;
  loop
    while units < p_needed loop
      changes := ${schema}.collect_changes(p_stock, 1000);
      exit when changes.moved = 0;
      units := units + changes.returned;
    end loop;
    exit when units >= p_needed or ${schema}.expire_reservations(1000, p_stock) = 0;
  end loop;
end $$;

-- What there would be for somebody who gathers now. Locks nothing: open transactions have not taken
-- anything yet in what is seen here, so that too little here is too little.
create function ${schema}.count_stock(p_stock text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select coalesce((select sum(s.free) from ${schema}.stock_stripe s where s.stock = p_stock), 0)
    + coalesce((select sum(c.returned) from ${schema}.stock_change c where c.stock = p_stock), 0)
    + coalesce((select sum(u.quantity)
                from ${schema}.reservation r
                cross join unnest(r.stocks, r.quantities) as u(stock, quantity)
                where r.state = 'HELD' and r.expires_at <= ${schema}.now()
                  and u.stock = p_stock), 0)
$$;

-- Takes units from one stripe that nobody has locked; each session prefers stripes of its own. A
-- stripe that was emptied in the meantime may stay locked, although it gives nothing.
create function ${schema}.take_free(p_stock text, p_quantity bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  update ${schema}.stock_stripe s set free = s.free - p_quantity
  where s.stock = p_stock and s.stripe = (
    select t.stripe from ${schema}.stock_stripe t
    where t.stock = p_stock and t.free >= p_quantity
    order by hashint4(pg_backend_pid() + t.stripe) limit 1
    for no key update skip locked);
  return found;
end $$;

-- Takes units, wherever they are, and waits for whoever holds them; null when they are taken, else
-- how many there are. Nothing of this stock stays locked while it waits, but stripes lower than the
-- one that it waits for: that is the order, and nobody meets anybody in a deadlock.
create function ${schema}.take_any(p_stock text, p_quantity bigint) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  preferred smallint;
  gathered record;
begin
  -- Of several stripes one; where there is one alone it is all there is.
  select t.stripe into preferred from ${schema}.stock_stripe t
  where t.stock = p_stock and t.free >= p_quantity
    and exists (select from ${schema}.stock_stripe o where o.stock = p_stock and o.stripe > 0)
  order by hashint4(pg_backend_pid() + t.stripe) limit 1;
  if found then
    begin
      update ${schema}.stock_stripe s set free = s.free - p_quantity
      where s.stock = p_stock and s.stripe = preferred and s.free >= p_quantity;
      if found then
        return null;
      end if;
      -- What was waited for in vain is unlocked again.
      raise sqlstate 'HF020';
    exception when sqlstate 'HF020' then
      null;
    end;
  end if;
  gathered := ${schema}.gather_stock(p_stock, p_quantity);
  if gathered.units < p_quantity then
    return gathered.units;
  end if;
  perform ${schema}.spread_stock(p_stock, gathered.stripes, gathered.units - p_quantity);
  return null;
end $$;

-- Writes the row of an id; false when there is one. Waits for whoever is writing it.
create function ${schema}.hold(
  p_id text, p_stocks text[], p_quantities bigint[], p_hold_ms bigint, p_operation text
) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  v_now timestamptz := ${schema}.now();
begin
  insert into ${schema}.reservation
    (id, state, stocks, quantities, operation_id, reserved_at, expires_at)
  values (p_id, 'HELD', p_stocks, p_quantities, p_operation, v_now,
          v_now + p_hold_ms * interval '1 ms')
  on conflict (id) do nothing;
  return found;
end $$;

-- Holds units of one stock or of several, all or nothing, in the caller's transaction. The answer:
-- RESERVED, REPEATED, RESOLVED, OTHER (the id is another content's), INSUFFICIENT, TOO_LATE, UNKNOWN
-- (there is no such stock). Locks the id, then the stocks by name.
create function ${schema}.reserve(
  p_id text, p_stocks text[], p_quantities bigint[], p_hold_ms bigint,
  p_not_after timestamptz default null, p_operation text default null
) returns table (answer text, state text, expires_at timestamptz, stock text, available bigint,
                 first_operation text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  v_known ${schema}.reservation;
  v_now timestamptz;
  v_enough boolean := true;
  v_striped boolean := false;
  v_waits boolean := true;
begin
  if cardinality(p_stocks) > 1 then
    select array_agg(u.name order by u.name collate "C"),
           array_agg(u.quantity order by u.name collate "C")
      into p_stocks, p_quantities
    from unnest(p_stocks, p_quantities) as u(name, quantity);
    if exists (select from unnest(p_stocks) as u(name) group by u.name having count(*) > 1) then
      raise exception using errcode = '22023', message = 'A stock is named twice.';
    end if;
  end if;
  select * into v_known from ${schema}.reservation r where r.id = p_id;
  if not found then
    if p_not_after < ${schema}.now() then
      answer := 'TOO_LATE';
      return next;
      return;
    end if;
    for i in 1 .. cardinality(p_stocks) loop
      select v_enough and coalesce(max(s.free), 0) >= p_quantities[i], v_striped or count(*) > 1
        into v_enough, v_striped
      from ${schema}.stock_stripe s where s.stock = p_stocks[i];
    end loop;
    -- First without waiting, where that can be of use. What it has locked is unlocked again when it
    -- fails, since what comes next waits.
    if v_enough and v_striped then
      v_waits := false;
      begin
        if not ${schema}.hold(p_id, p_stocks, p_quantities, p_hold_ms, p_operation) then
          raise sqlstate 'HF021';
        end if;
        for i in 1 .. cardinality(p_stocks) loop
          if not ${schema}.take_free(p_stocks[i], p_quantities[i]) then
            raise sqlstate 'HF020';
          end if;
        end loop;
        answer := 'RESERVED';
      exception
        when sqlstate 'HF020' then v_waits := true;
        when sqlstate 'HF021' then null;
      end;
    end if;
    if v_waits then
      -- Where one stripe has enough there is enough.
      for i in 1 .. case when v_enough then 0 else cardinality(p_stocks) end loop
        stock := p_stocks[i];
        available := ${schema}.count_stock(p_stocks[i]);
        if available < p_quantities[i] then
          answer := case when exists (select from ${schema}.stock s where s.name = p_stocks[i])
                         then 'INSUFFICIENT' else 'UNKNOWN' end;
          return next;
          return;
        end if;
      end loop;
      begin
        if not ${schema}.hold(p_id, p_stocks, p_quantities, p_hold_ms, p_operation) then
          raise sqlstate 'HF021';
        end if;
        for i in 1 .. cardinality(p_stocks) loop
          stock := p_stocks[i];
          available := ${schema}.take_any(p_stocks[i], p_quantities[i]);
          if available is not null then
            raise sqlstate 'HF020';
          end if;
        end loop;
        answer := 'RESERVED';
      exception
        when sqlstate 'HF020' then answer := 'INSUFFICIENT';
        when sqlstate 'HF021' then null;
      end;
      if answer = 'INSUFFICIENT' then
        return next;
        return;
      end if;
    end if;
    stock := null;
    available := null;
    select * into v_known from ${schema}.reservation r where r.id = p_id;
    if not found then
      raise exception using errcode = '40001',
        message = 'A reservation was made by a transaction that this one does not see.';
    end if;
  end if;
  v_now := ${schema}.now();
  if v_known.state = 'HELD' and answer is null and v_known.expires_at <= v_now then
    perform ${schema}.expire_reservation(p_id, v_now);
    select * into v_known from ${schema}.reservation r where r.id = p_id;
  end if;
  answer := case when answer is not null then answer
                 when v_known.stocks <> '{}' and (v_known.stocks <> p_stocks
                                                  or v_known.quantities <> p_quantities)
                   then 'OTHER'
                 when v_known.state = 'HELD' then 'REPEATED'
                 else 'RESOLVED' end;
  state := v_known.state;
  expires_at := v_known.expires_at;
  first_operation := v_known.operation_id;
  return next;
end $$;

-- Confirms a reservation, or cancels it: what is not confirmed is given back. Once the row is locked,
-- the database's time decides whether it is due, and then it is expired by this. A cancelled id
-- that is unknown is fenced. The answer: DONE (by this call), BEFORE, NONE (nothing to be
-- confirmed is known), OTHER (confirmed otherwise before), TOO_MUCH. Locks the id and nothing else.
create function ${schema}.resolve_reservation(
  p_id text, p_confirms boolean, p_stocks text[] default null, p_quantities bigint[] default null,
  p_operation text default null
) returns table (answer text, state text, stocks text[], confirmed bigint[], resolved_by text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  r ${schema}.reservation;
  v_wanted bigint[];
  v_now timestamptz;
begin
  answer := 'BEFORE';
  select * into r from ${schema}.reservation x where x.id = p_id for no key update;
  if not found and not p_confirms then
    insert into ${schema}.reservation (id, state, stocks, quantities, resolved_at, resolved_by)
    values (p_id, 'CANCELLED', '{}', '{}', ${schema}.now(), p_operation)
    on conflict (id) do nothing;
    if found then
      answer := 'DONE';
    end if;
    select * into r from ${schema}.reservation x where x.id = p_id for no key update;
    if not found then
      raise exception using errcode = '40001',
        message = 'A reservation was made by a transaction that this one does not see.';
    end if;
  elsif not found then
    answer := 'NONE';
    return next;
    return;
  end if;
  if p_confirms and r.state in ('HELD', 'CONFIRMED') then
    if p_quantities is null then
      v_wanted := r.quantities;
    elsif p_stocks is null then
      v_wanted := p_quantities;
    elsif p_stocks <@ r.stocks then
      v_wanted := array(select coalesce((select w.quantity
                                         from unnest(p_stocks, p_quantities) as w(name, quantity)
                                         where w.name = u.name), 0)
                        from unnest(r.stocks) with ordinality as u(name, n) order by u.n);
    end if;
  end if;
  if r.state = 'HELD' then
    v_now := ${schema}.now();
    if r.expires_at <= v_now then
      perform ${schema}.expire_reservation(p_id, v_now);
      r.state := 'EXPIRED';
      answer := 'DONE';
    elsif p_confirms and ${schema}.is_part(v_wanted, r.quantities) is not true then
      answer := 'TOO_MUCH';
    else
      r.state := case when p_confirms then 'CONFIRMED' else 'CANCELLED' end;
      r.confirmed := v_wanted;
      r.resolved_by := p_operation;
      update ${schema}.reservation x
      set state = r.state, confirmed = v_wanted, resolved_at = v_now, resolved_by = p_operation
      where x.id = p_id;
      insert into ${schema}.stock_change (stock, returned)
      select u.name, u.quantity - coalesce(u.wanted, 0)
      from unnest(r.stocks, r.quantities, v_wanted) as u(name, quantity, wanted)
      where u.quantity > coalesce(u.wanted, 0);
      answer := 'DONE';
    end if;
  elsif r.state = 'CONFIRMED' and p_confirms and v_wanted is distinct from r.confirmed then
    answer := 'OTHER';
  end if;
  state := r.state;
  stocks := r.stocks;
  confirmed := r.confirmed;
  resolved_by := r.resolved_by;
  return next;
end $$;

-- Expires one that the caller has found to be due, and waits for whoever is resolving it.
create function ${schema}.expire_reservation(p_id text, p_now timestamptz) returns void
language sql security definer set search_path = pg_catalog, pg_temp as $$
  with gone as (
    update ${schema}.reservation r set state = 'EXPIRED', resolved_at = p_now
    where r.id = p_id and r.state = 'HELD' and r.expires_at <= p_now
    returning r.stocks, r.quantities)
  insert into ${schema}.stock_change (stock, returned)
  select u.stock, u.quantity
  from gone g cross join unnest(g.stocks, g.quantities) as u(stock, quantity)
$$;

-- Makes a stock, or changes how many units it has, with p_by by so many. Null when that would be less
-- than is held and confirmed, or there is no stock to be changed; then nothing is. Locks the stripes.
create function ${schema}.set_stock(
  p_name text, p_capacity bigint, p_by boolean default false, p_stripes integer default null
) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  wanted bigint;
  more bigint;
  gathered record;
  made boolean;
begin
  if p_by and not exists (select from ${schema}.stock s where s.name = p_name) then
    return null;
  end if;
  insert into ${schema}.stock (name, capacity) values (p_name, 0) on conflict (name) do nothing;
  made := found;
  if made then
    insert into ${schema}.stock_stripe (stock, stripe, free)
    select p_name, n, 0
    from generate_series(0, coalesce(p_stripes, case when p_capacity < 64 then 1 else 8 end) - 1) n;
  end if;
  -- The stripes' locks first: only who has them changes the capacity.
  gathered := ${schema}.gather_stock(p_name, 0);
  select case when p_by then s.capacity + p_capacity else p_capacity end into wanted
  from ${schema}.stock s where s.name = p_name;
  select wanted - s.capacity into more from ${schema}.stock s where s.name = p_name;
  if gathered.units + more < 0 then
    gathered := ${schema}.gather_stock(p_name, -more);
    if gathered.units + more < 0 then
      perform ${schema}.spread_stock(p_name, gathered.stripes, gathered.units);
      return null;
    end if;
  end if;
  if not made and p_stripes <> cardinality(gathered.stripes) then
    delete from ${schema}.stock_stripe s where s.stock = p_name and s.stripe >= p_stripes;
    insert into ${schema}.stock_stripe (stock, stripe, free)
    select p_name, n, 0 from generate_series(0, p_stripes - 1) n on conflict do nothing;
    gathered.stripes := array(select generate_series(0, p_stripes - 1)::smallint);
  end if;
  update ${schema}.stock s set capacity = wanted where s.name = p_name;
  perform ${schema}.spread_stock(p_name, gathered.stripes, gathered.units + more);
  return wanted;
end $$;

-- Takes a semantic lock, takes it again for its owner, or says who has it and until when. Somebody
-- else's lock is only looked at: whoever has it is not kept waiting.
create function ${schema}.acquire_lock(
  p_name text, p_owner text, p_for_ms bigint, p_operation text default null
) returns table (acquired boolean, owner text, token bigint, expires_at timestamptz)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
  l ${schema}.semantic_lock;
  v_for interval := p_for_ms * interval '1 ms';
  v_now timestamptz;
begin
  -- The token is going to be believed elsewhere.
  perform ${schema}.require_flush();
  for attempt in 1 .. 3 loop
    v_now := ${schema}.now();
    select * into l from ${schema}.semantic_lock x where x.name = p_name;
    if not found then
      insert into ${schema}.semantic_lock (name, owner, token, operation_id, acquired_at, expires_at)
      values (p_name, p_owner, 0, p_operation, v_now, v_now + v_for)
      on conflict (name) do nothing;
      if found then
        -- Not before the row is there: somebody may have had the lock in the meantime.
        update ${schema}.semantic_lock x set token = nextval('${schema}.semantic_lock_token')
        where x.name = p_name returning * into l;
      end if;
    elsif l.owner = p_owner and l.expires_at > v_now then
      update ${schema}.semantic_lock x set expires_at = greatest(x.expires_at, v_now + v_for)
      where x.name = p_name and x.token = l.token and x.owner = p_owner returning * into l;
    elsif l.expires_at <= v_now then
      -- Waits for those who rely on it, until they commit.
      update ${schema}.semantic_lock x
      set owner = p_owner, token = nextval('${schema}.semantic_lock_token'),
          operation_id = p_operation, acquired_at = v_now, expires_at = v_now + v_for
      where x.name = p_name and x.token = l.token and x.expires_at = l.expires_at
      returning * into l;
    else
      return query select false, l.owner, l.token, l.expires_at;
      return;
    end if;
    if found then
      return query select true, l.owner, l.token, l.expires_at;
      return;
    end if;
    -- Somebody was faster.
  end loop;
  raise exception using errcode = '40001',
    message = 'A semantic lock changed hands several times in the meantime.';
end $$;

-- Whether somebody still has a lock, and has it until the caller's transaction is over: whoever takes
-- it over updates the row that this locks.
create function ${schema}.require_lock(p_name text, p_owner text, p_token bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  perform from ${schema}.semantic_lock l
  where l.name = p_name and l.owner = p_owner and l.token = p_token
    and l.expires_at > ${schema}.now()
  for share;
  return found;
end $$;

-- Until when a lock is held from now on; null when it is not held any more.
create function ${schema}.renew_lock(
  p_name text, p_owner text, p_token bigint, p_for_ms bigint) returns timestamptz
language sql security definer set search_path = pg_catalog, pg_temp as $$
  update ${schema}.semantic_lock l
  set expires_at = greatest(l.expires_at, ${schema}.now() + p_for_ms * interval '1 ms')
  where l.name = p_name and l.owner = p_owner and l.token = p_token
    and l.expires_at > ${schema}.now()
  returning l.expires_at
$$;

-- Gives a lock up; false when it was not held any more.
create function ${schema}.release_lock(p_name text, p_owner text, p_token bigint) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
  delete from ${schema}.semantic_lock l
  where l.name = p_name and l.owner = p_owner and l.token = p_token;
  return found;
end $$;

-- What there is of each stock. The balance is 0 in every snapshot, or something is wrong. Looks
-- through all reservations, once; count_stock looks at what can be had alone.
create view ${schema}.stock_level as
select s.name, s.capacity, p.free + coalesce(c.returned, 0) as free, coalesce(h.held, 0) as held,
       s.sold + coalesce(c.sold, 0) + coalesce(h.confirmed, 0) as confirmed,
       s.capacity - s.sold - p.free - coalesce(c.returned, 0) - coalesce(c.sold, 0)
         - coalesce(h.held, 0) - coalesce(h.confirmed, 0) as balance,
       p.stripes
from ${schema}.stock s
join (select t.stock, sum(t.free) as free, count(*) as stripes
      from ${schema}.stock_stripe t group by t.stock) p on p.stock = s.name
left join (select t.stock, sum(t.returned) as returned, sum(t.sold) as sold
           from ${schema}.stock_change t group by t.stock) c on c.stock = s.name
left join (select u.stock, sum(u.quantity) filter (where r.state = 'HELD') as held,
                  sum(u.confirmed) as confirmed
           from ${schema}.reservation r
           cross join unnest(r.stocks, r.quantities, r.confirmed)
             as u(stock, quantity, confirmed)
           where r.state in ('HELD', 'CONFIRMED')
           group by u.stock) h on h.stock = s.name;

-- What is reserved, stock by stock.
create view ${schema}.reservation_item as
select r.id, u.stock, u.quantity, u.confirmed, r.state, r.operation_id, r.reserved_at,
       r.expires_at, r.resolved_at, r.resolved_by
from ${schema}.reservation r
cross join unnest(r.stocks, r.quantities, r.confirmed) as u(stock, quantity, confirmed);

-- A condition on operation_id goes down to the table, which is scanned once for each kind of event.
-- Whoever may read the view needs to be allowed no function but now().
create view ${schema}.operation_event_reservation as
select r.operation_id, 1 as step, r.reserved_at as at, 'database'::text as boundary,
       'reserve ' || r.id as what, 'DONE'::text as state, null::text as owed_by,
       (select string_agg(u.quantity || ' of ' || u.stock, ', ')
        from unnest(r.stocks, r.quantities) as u(stock, quantity)) as detail,
       null::uuid as message_id, null::bigint as position, null::text as channel
from ${schema}.reservation r
where r.operation_id is not null
union all
select r.operation_id, 1, null, 'database', 'confirm or cancel ' || r.id, 'WAITING',
       case when r.expires_at > ${schema}.now() then 'whoever has reserved it'
            else coalesce((select l.owner from ${schema}.lease l
                           where l.name = 'upkeep' and l.expires_at > ${schema}.now()),
                          'nobody: no upkeep runs') end,
       case when r.expires_at > ${schema}.now() then 'expires at ' else 'due since ' end
         || r.expires_at,
       null, null, null
from ${schema}.reservation r
where r.state = 'HELD' and r.operation_id is not null
union all
select coalesce(r.resolved_by, r.operation_id), 1, r.resolved_at, 'database',
       case r.state when 'CONFIRMED' then 'confirm ' when 'CANCELLED' then 'cancel '
                    else 'expire ' end || r.id,
       'DONE', null,
       coalesce((select string_agg(coalesce(u.confirmed || ' of ' || u.stock,
                                            u.quantity || ' of ' || u.stock || ' given back'), ', ')
                 from unnest(r.stocks, r.quantities, r.confirmed)
                   as u(stock, quantity, confirmed)),
                'never reserved'),
       null, null, null
from ${schema}.reservation r
where r.state <> 'HELD' and coalesce(r.resolved_by, r.operation_id) is not null;

create or replace view ${schema}.operation_event as
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_commit
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_delayed
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_outbox
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_receipt
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_held
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_decision
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_witness
union all
select operation_id, step, at, boundary, what, state, owed_by, detail,
       message_id, position, channel from ${schema}.operation_event_reservation;

-- What the functions call themselves, and could be used to make units out of nothing.
revoke execute on function ${schema}.hold(text, text[], bigint[], bigint, text),
  ${schema}.take_free(text, bigint), ${schema}.take_any(text, bigint),
  ${schema}.gather_stock(text, bigint), ${schema}.spread_stock(text, smallint[], bigint),
  ${schema}.collect_changes(text, integer), ${schema}.expire_reservation(text, timestamptz)
  from public;

-- Where the roles were made before this version; roles.sql grants the same to new ones.
do $$
declare
  a_role text;
begin
  for a_role in select rolname from pg_roles
    where rolname in ('holdfast_writer', 'holdfast_relay', 'holdfast_admin')
  loop
    execute format('grant execute on function
      ${schema}.reserve(text, text[], bigint[], bigint, timestamptz, text),
      ${schema}.resolve_reservation(text, boolean, text[], bigint[], text),
      ${schema}.expire_reservations(integer, text),
      ${schema}.forget_reservations(integer), ${schema}.fold_stocks(integer, integer),
      ${schema}.set_stock(text, bigint, boolean, integer), ${schema}.count_stock(text),
      ${schema}.acquire_lock(text, text, bigint, text), ${schema}.require_lock(text, text, bigint),
      ${schema}.renew_lock(text, text, bigint, bigint), ${schema}.release_lock(text, text, bigint)
      to %I', a_role);
    execute format('grant select on ${schema}.reservation_settings, ${schema}.stock,
      ${schema}.stock_stripe, ${schema}.stock_change, ${schema}.reservation,
      ${schema}.semantic_lock, ${schema}.stock_level, ${schema}.reservation_item,
      ${schema}.operation_event_reservation to %I', a_role);
    execute format('grant update on ${schema}.reservation_settings to %I', a_role);
    if a_role = 'holdfast_relay' then
      execute format('grant insert, update, delete on ${schema}.reservation_settings,
        ${schema}.stock, ${schema}.stock_stripe, ${schema}.stock_change, ${schema}.reservation,
        ${schema}.semantic_lock to %I', a_role);
    end if;
  end loop;
end $$;

insert into ${schema}.schema_version (version, name) values (7, 'reservation');
