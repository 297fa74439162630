-- House rules for every migration: forward only, one idea a file, every constraint has a name (its name becomes a sentence on
-- screen), moments are timestamptz and end in _at, secrets are sealed before they come here.

-- Rows of the activity are never changed or removed, by nobody: not by us, not by a person at psql with our role.
create function refuse_change() returns trigger language plpgsql as $$
begin
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;
