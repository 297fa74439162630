# The server alone: no shell, no package manager, no private database, no practice store. Build it with
#   docker build -t cartwright .
# Queries are checked against the committed .sqlx, so the build needs no database.
#
# Debian's C library and not musl: the C code of ring and the resolver are then the ones that the tests ran with.

FROM rust:1.95.0-bookworm AS build
WORKDIR /build
ENV SQLX_OFFLINE=true
# rust-toolchain.toml stays out: the image has that compiler already, and rustup would fetch clippy for it.
# Dependencies first: this layer is built again only when Cargo.lock changes, not at every edit.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches/figures tests/web && touch src/lib.rs \
    && echo "fn main() {}" | tee src/main.rs benches/figures/main.rs > tests/web/main.rs \
    && cargo build --release --locked --no-default-features \
    && rm -r src
COPY . .
# COPY keeps the files' own times; without a new one cargo would take the empty program above for this one
RUN touch src/main.rs src/lib.rs && cargo build --release --locked --no-default-features

RUN scripts/image-root target/release/cartwright /image

# Five files: the program, the three libraries of C that it names with their loader, and where names are looked up. The
# roots of certificates are in the program.
FROM scratch
COPY --from=build /image /
# A number, so that Kubernetes' runAsNonRoot can check it
USER 65532:65532
# The sockets are the container's own, so it listens on all of them; DATABASE_URL and CARTWRIGHT_KEY_FILE have no default.
ENV CARTWRIGHT_LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/cartwright", "ready"]
# Nothing is written to the file system: run it read-only (see compose.yaml).
ENTRYPOINT ["/cartwright"]
CMD ["serve"]
