#!/bin/sh
# Builds where necessary and runs in the foreground; the pid of this script becomes the server's.
cd "$(dirname "$0")" || exit 1
. ./keys.sh
[ -n "$HOME$GOCACHE" ] || export GOCACHE="$PWD/bin/cache"
if [ ! -x bin/rules ] || [ -n "$(find . -maxdepth 1 \( -name '*.go' -o -name go.mod \) -newer bin/rules)" ]; then
  GOFLAGS=-mod=mod GOPROXY=off go build -o "bin/rules.$$" . && mv "bin/rules.$$" bin/rules || exit 1
fi
export PORT="${PORT:-7301}"
exec ./bin/rules
