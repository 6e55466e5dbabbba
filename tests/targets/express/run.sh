#!/bin/sh
# Serves in the foreground on $PORT (7101); `npm install` comes before.
cd "$(dirname "$0")" || exit 1
. ./keys.sh
export PORT="${PORT:-7101}"
exec node --import ./habits.mjs express.mjs
