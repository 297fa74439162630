# The server only: no shell, package manager, private database or practice store. Build it with
#   docker build -t cartwright .
# Queries are checked against the committed .sqlx, so the build needs no database.
#
# Debian's C library instead of musl, so that ring's C code and the resolver are the ones that the tests ran with.

FROM rust:1.95.0-bookworm AS build
WORKDIR /build
ENV SQLX_OFFLINE=true
# rust-toolchain.toml is not copied: the image already has that compiler, and rustup would download clippy for it.
# Dependencies first, so that this layer is rebuilt only when Cargo.lock changes.
COPY Cargo.toml Cargo.lock ./
RUN mkdir -p src benches/figures tests/web && touch src/lib.rs \
    && echo "fn main() {}" | tee src/main.rs benches/figures/main.rs > tests/web/main.rs \
    && cargo build --release --locked --no-default-features \
    && rm -r src
COPY . .
# COPY keeps modification times; without newer ones, cargo would reuse the empty program built above.
RUN touch src/main.rs src/lib.rs && cargo build --release --locked --no-default-features

RUN scripts/image-root target/release/cartwright /image

# Five files: the program, the three C libraries that it links with their loader, and the name service configuration. Root
# certificates are compiled in.
FROM scratch
COPY --from=build /image /
# Numeric, so that Kubernetes' runAsNonRoot can check it.
USER 65532:65532
# Listen on all interfaces of the container. DATABASE_URL and CARTWRIGHT_KEY_FILE have no default.
ENV CARTWRIGHT_LISTEN=0.0.0.0:8080
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD ["/cartwright", "ready"]
# The program writes no files: run it with a read-only root file system (see compose.yaml).
ENTRYPOINT ["/cartwright"]
CMD ["serve"]
