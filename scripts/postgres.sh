# A private, temporary Postgres for scripts that source this file: a Unix socket in its own folder, no TCP, and no
# fsync, because its data does not outlive the script. Deletes the folder SCRATCH at exit. Postgres refuses to run as
# root, so root uses another account.
SCRATCH=$(mktemp -d "${TMPDIR:-/tmp}/cartwright-test.XXXXXX")
POSTGRES_UP=
as_owner() {
  local LC_ALL=C; export LC_ALL
  if ! is_root; then "$@"
  elif has setpriv; then (cd / && setpriv --reuid "$OWNER" --regid "$(id -g "$OWNER")" --clear-groups -- "$@")
  else (cd / && sudo -u "$OWNER" -- "$@"); fi
}
start_postgres() {
  [ -z "$POSTGRES_UP" ] || return 0
  need_postgres
  OWNER=$(id -un)
  if is_root; then OWNER=postgres; id -u postgres >/dev/null 2>&1 || OWNER=nobody; fi
  mkdir -m 700 "$SCRATCH/postgres"
  if is_root; then chmod 711 "$SCRATCH"; chown "$OWNER" "$SCRATCH/postgres"; fi
  # The same locale as the private database of the server.
  local locale=--locale=C.UTF-8
  case $("$POSTGRES_BIN/postgres" --version) in
    *"(PostgreSQL) 15"* | *"(PostgreSQL) 16"*) ;;
    *) locale="--locale=C --locale-provider=builtin --builtin-locale=C.UTF-8" ;;
  esac
  # shellcheck disable=SC2086 # several words on purpose
  as_owner "$POSTGRES_BIN/initdb" -D "$SCRATCH/postgres/data" -U postgres --auth=trust --encoding=UTF8 $locale \
    --no-sync --no-instructions >"$SCRATCH/initdb.log" 2>&1 || { cat "$SCRATCH/initdb.log"; stop "The tests' database could not be made."; }
  POSTGRES_UP=1
  as_owner "$POSTGRES_BIN/pg_ctl" start -s -w -D "$SCRATCH/postgres/data" -l "$SCRATCH/postgres/log" -o "-p 1 \
    -c listen_addresses= -c unix_socket_directories=$SCRATCH/postgres -c fsync=off -c full_page_writes=off \
    -c synchronous_commit=off -c max_connections=200 -c timezone=UTC" || stop "The tests' database did not start."
  psql_as_owner -q -c 'create role cartwright login createdb' -c 'create role cartwright_runtime login' -c 'create database cartwright owner cartwright'
}
psql_as_owner() { as_owner "$POSTGRES_BIN/psql" -X -v ON_ERROR_STOP=1 -h "$SCRATCH/postgres" -p 1 -U postgres "$@"; }
database_url() { echo "postgres://cartwright@localhost:1/$1?host=$SCRATCH/postgres"; }
libpq_url() { echo "postgres:///$1?host=$SCRATCH/postgres&port=1&user=cartwright"; }

tidy() {
  if [ -n "$POSTGRES_UP" ]; then
    as_owner "$POSTGRES_BIN/pg_ctl" stop -s -m immediate -D "$SCRATCH/postgres/data" >/dev/null 2>&1 || true
  fi
  rm -rf "$SCRATCH"
}
trap tidy EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
