#!/usr/bin/env bash
# Regenerates transport.pb.go and transport_grpc.pb.go beside this script. Needs protoc (Debian: protobuf-compiler) and go;
# the two code generators are built in a temporary folder at fixed versions and touch no go.mod.
set -euo pipefail
cd "$(dirname "$0")"
command -v protoc >/dev/null || { echo "protoc not found: apt-get install protobuf-compiler" >&2; exit 1; }
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
GOBIN=$tools go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
GOBIN=$tools go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.0
PATH="$tools:$PATH" protoc --go_out=. --go_opt=paths=source_relative \
  --go-grpc_out=. --go-grpc_opt=paths=source_relative transport.proto
# Which protoc it was changes with the distribution, not with the code: leave it out so that a check compares equal.
sed -i -e '/^\/\/ .*protoc  *v[0-9]/d' transport.pb.go transport_grpc.pb.go
