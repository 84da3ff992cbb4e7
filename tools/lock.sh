#!/bin/sh
# Locks every dependency of every extra, and the benches' peers, with hashes and without the address of any registry.
# Extras stay in the names: pip takes the newest `coverage[toml]` for another one than the locked `coverage`.
set -eu
cd "$(dirname "$0")/.."
lock() {
  .venv/bin/pip-compile -q --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
    --allow-unsafe --no-header --no-annotate "$@"
}
lock --all-extras -o requirements.lock pyproject.toml
lock -o bench/peers.lock bench/peers.in
