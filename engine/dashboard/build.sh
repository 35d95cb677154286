#!/usr/bin/env bash
# Builds dist/ from ui/; with --check it compares instead, and says what differs; with --types it only checks types.
# Needs go, and npm for what package-lock.json pins by hash. The bundler has a module of its own and touches no other go.mod.
set -euo pipefail
cd "$(dirname "$0")"
command -v npm >/dev/null || { echo "npm not found: apt-get install npm (only the dashboard's build needs it; dist/ is committed)" >&2; exit 1; }
if command -v flock >/dev/null; then # tests of several packages may come at the same time
  exec 9<ui
  flock 9
fi
if [ ! -f ui/node_modules/.package-lock.json ] || [ ui/package-lock.json -nt ui/node_modules/.package-lock.json ]; then
  (cd ui && npm ci --ignore-scripts --no-audit --no-fund --silent && touch node_modules/.package-lock.json)
fi
case "${1:-}" in
--types)
  exec ui/node_modules/.bin/tsc -p ui
  ;;
--check)
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  (cd ui/bundle && go run . .. "$work")
  diff -r "$work" dist >/dev/null || { diff -rq "$work" dist || true; echo "dist is out of date: run engine/dashboard/build.sh" >&2; exit 1; }
  ;;
*)
  (cd ui/bundle && go run . .. ../../dist)
  ;;
esac
