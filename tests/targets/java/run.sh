#!/bin/sh
# Builds where necessary and serves in the foreground on $PORT (7303). Killing the pid ends the server.
# BUILD_DIR: where the classes go (build/ here). JACKSON_JARS: the folder of the jars.
set -e
cd "$(dirname "$0")"
. ./keys.sh
jars=${JACKSON_JARS:-/usr/share/java}
out=${BUILD_DIR:-./build}
cp=$jars/jackson-databind.jar:$jars/jackson-core.jar:$jars/jackson-annotations.jar
if [ ! -e "$out/Server.class" ] || [ Server.java -nt "$out/Server.class" ]; then
  new=$(mktemp -d "$out.XXXXXX")
  javac -encoding UTF-8 -cp "$cp" -d "$new" Server.java
  rm -rf "$out"
  mv -T "$new" "$out" 2>/dev/null || rm -rf "$new"   # another start may have been quicker
fi
exec java -Xmx256m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$out:$cp" Server
