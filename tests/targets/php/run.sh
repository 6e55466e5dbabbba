#!/bin/sh
# Runs in the foreground; the pid of this script becomes serve.php's, which takes PHP's server and its workers down with it.
cd "$(dirname "$0")" || exit 1
. ./keys.sh
export PORT="${PORT:-7302}"
exec php serve.php
