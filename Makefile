# Commands of the project. CONTRIBUTING.md says what each costs.
#
#   make setup        packages and the Python environment that the tests run peers from
#   make test         everything that must hold before a change lands
#   make demo         two Prometheus servers, federated; prints questions to ask
#   make chaos        the long crash tests, by hand
#   make chaos-proof  takes safeguards out of a copy; the crash tests must notice each
#   make bench        benches beside the peers; PART=bytes for one part, see docs/performance.md

SHELL := /bin/bash -o pipefail

export CARGO_TARGET_DIR ?= $(HOME)/.cache/fleetscope/target
export FLEETSCOPE_VENV ?= $(HOME)/.cache/fleetscope/venv
export CARGO_TERM_COLOR ?= auto

# Lints run while the workspace's own crates are compiled, so dependencies are built once and not checked once more.
LINTED := RUSTC_WORKSPACE_WRAPPER=clippy-driver CLIPPY_ARGS=-Dwarnings__CLIPPY_HACKERY__

.PHONY: setup test lint quick chaos chaos-proof bench demo

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

chaos: setup
	$(LINTED) cargo test --locked --workspace --test integration --no-run
	FLEETSCOPE_KILLS=500 FLEETSCOPE_POWER_CUTS=200 FLEETSCOPE_FAILURES=1000 $(LINTED) \
	    cargo test --locked --workspace --test integration -- --test-threads 1 --nocapture crash
	@scripts/fuzz 300

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

demo: setup
	@scripts/demo
