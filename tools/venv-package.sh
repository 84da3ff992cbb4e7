#!/bin/sh
# Debian and Ubuntu ship Python's venv apart: install it as root, or say how.
set -eu
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
else
  echo "Python's venv module is missing. On Debian or Ubuntu: sudo apt-get install python3-venv" >&2
  exit 1
fi
