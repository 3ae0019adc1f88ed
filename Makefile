# Commands of the project. CONTRIBUTING.md says what each costs.
#
#   make setup        packages and the Python environment that the tests run peers from
#   make test         everything that must hold before a change lands
#   make demo         a simulated fleet of four clusters; asks the first questions
#   make static       a binary for any Linux: release profile, musl
#   make federation   two Prometheus servers federated for ten minutes, judged by their own remote read
#   make healing      link cut and process killed for three minutes each, judged in the same way
#   make chaos        the long crash tests, by hand: hours; make chaos PART=power runs one part
#   make chaos-proof  takes safeguards out of a copy; the crash tests must notice each
#   make bench        benches beside the peers; PART=bytes for one part, see docs/performance.md
#   make bench-report the parts that docs/benchmarks.md shows, and writes its tables anew

SHELL := /bin/bash -o pipefail

export CARGO_TARGET_DIR ?= $(HOME)/.cache/fleetscope/target
export FLEETSCOPE_VENV ?= $(HOME)/.cache/fleetscope/venv
export CARGO_TERM_COLOR ?= auto

# Lints run while the workspace's own crates are compiled, so dependencies are built once and not checked once more.
LINTED := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__

.PHONY: setup test lint quick federation healing chaos chaos-proof bench bench-report demo static

setup:
	@scripts/setup

lint:
	cargo fmt --all --check
	cargo run --quiet --locked -p xtask -- check

test: setup lint
	$(LINTED) cargo test --locked --workspace --all-targets --no-run
	$(LINTED) cargo test --locked --workspace

# The tests of one crate with the features, and so the build, of the whole: make quick CRATE=storage
quick:
	@scripts/quick $(CRATE)

federation: setup
	FLEETSCOPE_FEDERATION_SECONDS=600 $(LINTED) cargo test --locked --workspace --test integration -- --nocapture federation

healing: setup
	FLEETSCOPE_HEALING_SECONDS=180 $(LINTED) cargo test --locked --workspace --test integration -- --nocapture healing

# One part alone: make chaos PART=power; the parts and their variables: scripts/chaos
chaos: setup
	@scripts/chaos $(PART)

chaos-proof: setup
	@scripts/chaos-proof

# All benches are built whatever the part, so that dependencies are built once.
bench:
	@scripts/setup victoria-metrics
	cargo bench --locked --workspace --bench '*' --no-run
ifdef PART
	cargo bench --locked --workspace --bench peers -- $(PART)
else
	cargo bench --locked --workspace --bench '*'
endif

# Writes what each part finds into its section of the document, and leaves the words around it alone.
bench-report:
	@scripts/setup victoria-metrics
	FLEETSCOPE_BENCH_REPORT=docs/benchmarks.md cargo bench --locked --workspace --bench peers -- \
	  remote_write otlp series sustained mixed promql logs search

# Needs nothing but Rust: the fleet is inside the binary.
demo:
	@scripts/demo

static:
	rustup target add x86_64-unknown-linux-musl
	cargo build --release --locked --target x86_64-unknown-linux-musl --bin fleetscope
