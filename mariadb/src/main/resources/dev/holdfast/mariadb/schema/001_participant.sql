-- Holdfast for MariaDB, version 1: a participant of operations across databases. ${prefix} is
-- replaced by what the tables' names begin with. Released migrations are never changed. Every
-- statement can be repeated, since MariaDB commits each by itself.

create table if not exists ${prefix}_schema_version (
  version    int not null primary key,
  name       varchar(50) not null,
  applied_at datetime(6) not null default current_timestamp(6)
) engine = innodb default character set ascii;

-- Which database this is, and a row to write to: what commits after another commit is flushed with it.
create table if not exists ${prefix}_identity (
  one     tinyint not null primary key default 1 check (one = 1),
  id      char(36) not null,
  flushes bigint not null default 0
) engine = innodb default character set ascii;

-- That a branch was committed, in the branch's own commit.
create table if not exists ${prefix}_witness (
  store_id     char(36) not null,
  participant  varchar(30) not null,
  serial       bigint not null,
  nonce        bigint not null,
  operation_id varchar(200) character set utf8mb4 collate utf8mb4_bin not null,
  prepared_by  varchar(400) character set utf8mb4 not null,
  prepared_at  datetime(6) not null, -- UTC
  primary key (store_id, participant, serial, nonce)
) engine = innodb default character set ascii collate ascii_bin;

-- Which of a deciding database and its copies is obeyed.
create table if not exists ${prefix}_claim (
  store_id         char(36) not null,
  participant      varchar(30) not null, -- our name there
  token            char(36) not null,
  previous         char(36),
  previous_started varchar(100) character set utf8mb4,
  system_id        varchar(100) character set utf8mb4 not null,
  database_id      varchar(100) character set utf8mb4 not null,
  timeline         bigint not null,
  place            varchar(200) character set utf8mb4 not null,
  started          varchar(100) character set utf8mb4 not null,
  claimed_at       datetime(6) not null, -- UTC
  -- Until then whoever is replaced may object, and nothing is aborted in the claim's name. UTC.
  settles_at       datetime(6) not null,
  -- Under this token nothing is prepared up to this serial any more: the transactions are over.
  refused          bigint not null default 0,
  primary key (store_id, participant)
) engine = innodb default character set ascii collate ascii_bin;

-- Up to which serial witnesses are deleted, or have been allowed to be. Not with the claim, which
-- what is prepared may have locked.
create table if not exists ${prefix}_forgotten (
  store_id    char(36) not null,
  participant varchar(30) not null,
  serial      bigint not null,
  primary key (store_id, participant)
) engine = innodb default character set ascii collate ascii_bin;

-- The row by which a lost reply to a commit without other databases is resolved.
create table if not exists ${prefix}_attempt (
  id           char(36) not null primary key,
  committed    boolean not null, -- false: somebody asked first, and it can never commit
  operation_id varchar(200) character set utf8mb4 collate utf8mb4_bin,
  at           datetime(6) not null, -- UTC
  key ${prefix}_attempt_at (at)
) engine = innodb default character set ascii collate ascii_bin;

insert ignore into ${prefix}_identity (one, id) values (1, uuid());

insert ignore into ${prefix}_schema_version (version, name) values (1, 'participant');
