#!/bin/sh
# Serves in the foreground on $PORT (9611) with the environment of $PYTHON, which has requirements.txt; its database goes to $TMPDIR.
cd "$(dirname "$0")" || exit 1
. ./keys.sh
export PORT="${PORT:-9611}"
export DB="${DB:-${TMPDIR:-/tmp}/rules-fastapi-$PORT.sqlite3}"
exec "${PYTHON:-python3}" -m uvicorn jitter:app --host 127.0.0.1 --port "$PORT" --no-access-log --log-level warning
