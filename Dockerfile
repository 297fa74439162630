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
RUN mkdir -p src benches/figures && touch src/lib.rs \
    && echo "fn main() {}" | tee src/main.rs > benches/figures/main.rs \
    && cargo build --release --locked --no-default-features \
    && rm -r src
COPY . .
# COPY keeps the files' own times; without a new one cargo would take the empty program above for this one
RUN touch src/main.rs src/lib.rs && cargo build --release --locked --no-default-features

# glibc, libgcc, CA certificates and a user; nothing that could be run
FROM gcr.io/distroless/cc-debian12:nonroot
COPY --from=build /build/target/release/cartwright /cartwright
# A number, so that Kubernetes' runAsNonRoot can check it
USER 65532:65532
# The sockets are the container's own, so it listens on all of them; DATABASE_URL and CARTWRIGHT_KEY_FILE have no default.
ENV CARTWRIGHT_LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
# No HEALTHCHECK: there is nothing in here to ask with. Let the platform ask GET /-/ready (traffic) and /-/live (restart).
# Nothing is written to the file system: run it read-only (see compose.yaml).
ENTRYPOINT ["/cartwright"]
CMD ["serve"]
