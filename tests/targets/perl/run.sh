#!/bin/sh
# Serves in the foreground on $PORT (7305). Killing the pid ends the server.
cd "$(dirname "$0")" || exit 1
. ./keys.sh
export PORT="${PORT:-7305}"
exec perl server.pl
