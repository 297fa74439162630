-- Names are chosen by their owners; the address says who it was. Null for who is no person, and for older rows.
alter table audit_events add column actor_email text;
