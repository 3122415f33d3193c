-- The role holdfast_participant runs operations and recovers those of others. XA itself needs no
-- privilege in MariaDB. Give it to your users (grant holdfast_participant to shop) and make it
-- their default (set default role holdfast_participant for shop), or grant them the same.
create role if not exists holdfast_participant;

grant select on ${prefix}_schema_version to holdfast_participant;
grant select, update on ${prefix}_identity to holdfast_participant;
grant select, insert, delete on ${prefix}_witness to holdfast_participant;
grant select, insert, update on ${prefix}_claim to holdfast_participant;
grant select, insert, update on ${prefix}_forgotten to holdfast_participant;
grant select, insert, delete on ${prefix}_attempt to holdfast_participant;
