#!/bin/sh
# Serves in the foreground on $PORT (7304). Killing the pid ends the server.
cd "$(dirname "$0")" || exit 1
. ./keys.sh
exec puma -q -e production -t 8:24 -b "tcp://127.0.0.1:${PORT:-7304}" config.ru
