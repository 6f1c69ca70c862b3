#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Compression on the way: bodies in gzip hold the same parts as plain ones, and a minidump that lies compressed
# in the spool arrives plain.
. "$CAIRN_SRCDIR/tests/lib.sh"

# receiver NAME: starts one; its port is in $port.
receiver() {
    : >"$scratch/$1.out"
    /usr/bin/python3 "$CAIRN_SRCDIR/tests/servers/receiver.py" --folder "$scratch/$1" --port 0 --lifetime 300 \
        --mode "$2" >"$scratch/$1.out" 2>"$scratch/$1.log" &
    receiver_pid=$!
    started="$started $receiver_pid"
    wait_for 10 grep -q '[0-9]' "$scratch/$1.out"
    port=$(grep -oE '[0-9]+' "$scratch/$1.out" | head -n 1)
}

# upload WRITER-OPTIONS TRANSPORT-OPTIONS: a crash and its delivery to a receiver of its own; $folder, $request.
uploads=0
upload() {
    uploads=$((uploads + 1))
    receiver "server$uploads" ok
    cat >"$scratch/cairn.yaml" <<END
version: 1
application: { name: shop, version: "1.2" }
engine: { spool: $spool }
annotators: { build: { plugin: static, values: { note: "a \"quoted\" value; é" } } }
writers:
  dump: { plugin: minidump$1 }
  summary: { plugin: text }
transports: { upload: { $2, url: "http://localhost:$port/post?format=minidump&token=5ec7e75ec7e7", attachments: true } }
pipelines: { default: { annotators: [build], writers: [dump, summary], transports: [upload] } }
END
    cairn run -c "$scratch/cairn.yaml" -- perl -e 'kill SEGV => $$; sleep 5' >/dev/null 2>&1
    ok "it is delivered" wait_for 60 delivered "$uploads"
    folder=$(newest)
    request=$(find "$scratch/server$uploads" -name request.json | head -n 1)
    kill "$receiver_pid"
}
part() {
    find "$scratch/server$uploads" -name "[0-9][0-9][0-9]-$1" | head -n 1
}
arrived() {
    ok "$1: the minidump arrived" cmp "$2" "$(part upload_file_minidump)"
    ok "$1: so did the text" cmp "$folder/summary.txt" "$(part '*summary.txt')"
    is "$1: so did a field with more than ASCII" "$(field "$request" fields.note)" 'a "quoted" value; é'
    is "$1: the minidump's part" "$(field "$request" files.0.filename) $(field "$request" files.0.type)" \
        "$(basename "$folder").dmp application/octet-stream"
    has "$1: the length was known beforehand" "$(field "$request" headers.content-length)" '^[0-9]+$'
}

upload "" "plugin: breakpad"
is "plain: no encoding" "$(field "$request" headers.content-encoding)" -
arrived plain "$folder/dump.dmp"

upload "" "plugin: breakpad, compress: gzip"
if [ "$(field "$request" headers.content-encoding)" = gzip ]; then
    arrived gzip "$folder/dump.dmp"
    ok "gzip: the body is smaller" test "$(field "$request" headers.content-length)" -lt "$(wc -c <"$folder/dump.dmp")"
    upload "" "plugin: backtrace"
    is "backtrace: gzip by default" "$(field "$request" headers.content-encoding)" gzip
    arrived backtrace "$folder/dump.dmp"
else
    skip "gzip" "built without zlib"
fi

upload ", compress: zstd" "plugin: breakpad, compress: gzip"
if [ -e "$folder/dump.dmp.zst" ]; then
    zstd -dqc "$folder/dump.dmp.zst" >"$scratch/unpacked.dmp"
    arrived "zstd in the spool" "$scratch/unpacked.dmp"
    is "nothing is left behind" "$(find "$folder" -name 'upload-*' | wc -l)" 0
else
    skip "zstd in the spool" "built without zstd"
fi
done_testing
