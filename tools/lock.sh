#!/bin/sh
# Locks every dependency, of every extra, with hashes and without the address of any registry.
set -eu
cd "$(dirname "$0")/.."
.venv/bin/pip-compile -q --all-extras --generate-hashes --no-emit-index-url --no-emit-trusted-host --no-emit-find-links \
  --allow-unsafe --strip-extras --no-header --no-annotate -o requirements.lock "$@" pyproject.toml
