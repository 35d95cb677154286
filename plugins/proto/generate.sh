#!/usr/bin/env bash
# Regenerates transport.pb.go and transport_grpc.pb.go beside this script; with --check it compares instead, and says what
# differs. Needs go and protoc: where that is missing and we are root on Debian it is installed. The two code generators
# are built in a temporary folder at fixed versions and touch no go.mod.
set -euo pipefail
cd "$(dirname "$0")"
if ! command -v protoc >/dev/null; then
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    apt-get install -y -qq protobuf-compiler >/dev/null || { apt-get update -qq && apt-get install -y -qq protobuf-compiler >/dev/null; }
  else
    echo "protoc not found: apt-get install protobuf-compiler" >&2
    exit 1
  fi
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/out"
GOBIN=$work go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
GOBIN=$work go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.0
PATH="$work:$PATH" protoc --go_out="$work/out" --go_opt=paths=source_relative \
  --go-grpc_out="$work/out" --go-grpc_opt=paths=source_relative transport.proto
# Which protoc it was changes with the distribution, not with the code: leave it out so that a check compares equal.
sed -i -e '/^\/\/ .*protoc  *v[0-9]/d' "$work"/out/*.go
if [ "${1:-}" = --check ]; then
  for f in "$work"/out/*.go; do
    diff -u "$(basename "$f")" "$f" || { echo "generated code is out of date: run make generate" >&2; exit 1; }
  done
else
  cp "$work"/out/*.go .
fi
