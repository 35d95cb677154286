#!/usr/bin/env bash
# Runs the tests of this module. A server that is missing and cannot be installed here fails nothing, but is told at the end.
set -euo pipefail
cd "$(dirname "$0")"
skipped=$(mktemp)
trap 'rm -f "$skipped"' EXIT
HOOKLINE_SKIPPED=$skipped go test -timeout 3m "$@" ./...
if [ -s "$skipped" ]; then
	echo "================ brokers: NOT TESTED here, for want of a server ================"
	cat "$skipped"
	echo "==============================================================================="
fi
