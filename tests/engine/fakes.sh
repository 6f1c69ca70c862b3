# SPDX-License-Identifier: Apache-2.0
# What the engine's and the sender's tests share: plugins that do what a file tells them, compiled from
# tests/engine/plugins against the public header only; a minidump of a real crash; folders of the spool.
# Sourced after tests/lib.sh.

engine=$CAIRN_LIBEXEC/cairn-engine
sender=$CAIRN_LIBEXEC/cairn-sender
fakes=$scratch/plugins
control=$scratch/control
CAIRN_PLUGIN_PATH=$fakes:$CAIRN_PLUGIN_PATH

fake() {
    mkdir -p "$fakes/$1"
    ${CC:-cc} -std=gnu11 -shared -fPIC -fvisibility=hidden -I"$CAIRN_SRCDIR/include" $3 \
        -o "$fakes/$1/$2.so" "$CAIRN_SRCDIR/tests/engine/plugins/$1.c"
}
for kind in filter annotator writer hook transport; do
    fake "$kind" fake ""
done
fake writer fakedump -DMINIDUMP

crash_dump=$scratch/crash.dmp
"$CAIRN_BUILDDIR/tests/crash/dump_victim" crash "$crash_dump" 2 >/dev/null 2>&1

# incoming [FILE]: a new folder in incoming/ of the application "shop" as the monitor leaves it, with
# FILE as its minidump; its path.
incoming() {
    for state in incoming pending delivered quarantine; do
        mkdir -p -m 700 "$spool/shop/$state"
    done
    chmod 700 "$spool" "$spool/shop"
    incoming_folder=$spool/shop/incoming/$(python3 -c '
import os, time
ms = int(time.time() * 1000).to_bytes(6, "big")
rest = bytearray(os.urandom(10))
rest[0] = 0x70 | rest[0] & 15
rest[2] = 0x80 | rest[2] & 63
h = (ms + bytes(rest)).hex()
print("-".join((h[:8], h[8:12], h[12:16], h[16:20], h[20:])))')
    mkdir -m 700 "$incoming_folder"
    cp "${1:-$crash_dump}" "$incoming_folder/capture.dmp"
    echo "$incoming_folder"
}

# process CONFIG [FILE]: takes a new folder through the pipeline; what it prints is in $answer, the
# report's id in $id, its folder in $folder.
process() {
    folder=$(incoming "${2:-$crash_dump}")
    id=${folder##*/}
    answer=$("$engine" report --folder "$folder" --config "$1" --executable /opt/shop/bin/shop 2>"$scratch/err")
    folder=$(echo "$spool"/shop/*/"$id")
}

# hold FILE: another process has its lock, until let_go or the end of the test.
hold() {
    rm -f "$scratch/go"
    flock "$1" sh -c "touch '$scratch/held'; while test -e '$scratch/held' && ! test -e '$scratch/go'; do sleep 0.05; done" &
    holder=$!
    wait_for 20 test -e "$scratch/held"
}
let_go() {
    touch "$scratch/go"
    wait "$holder"
    rm -f "$scratch/held"
}

notes() {
    field "$folder/report.json" notes
}

# a log's lines, without what differs
lines() {
    cat "$1" 2>/dev/null
}
