#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Open descriptors in the minidump: only where they are asked for, and then as other readers expect them.
. "$CAIRN_SRCDIR/tests/lib.sh"

# configuration OPTIONS
configuration() {
    cat >"$scratch/cairn.yaml" <<END
version: 1
application: { name: open }
engine: { spool: $spool }
writers: { dump: { plugin: minidump$1 } }
pipelines: { default: { writers: [dump] } }
END
}
cat >"$scratch/program.py" <<END
import os, socket, sys
read = open("$scratch/read-this", "r")
write = os.open("$scratch/written-ü", os.O_WRONLY | os.O_CREAT)
both = socket.socket()
pipe = os.pipe()
os.kill(os.getpid(), 11)
END
echo text >"$scratch/read-this"

# crash COUNT: the dump of one more crash.
crash() {
    cairn run -c "$scratch/cairn.yaml" -- /usr/bin/python3 "$scratch/program.py" >/dev/null 2>&1
    wait_for 30 committed "$1"
    dump=$(newest)/dump.dmp
}

# handles FILE: a line per descriptor of the stream, "access kind name"; read by hand, no reader shows it all.
handles() {
    python3 - "$1" <<'END'
import struct, sys
data = open(sys.argv[1], "rb").read()
count, directory = struct.unpack_from("<II", data, 8)
def text(rva):
    size, = struct.unpack_from("<I", data, rva)
    return data[rva + 4:rva + 4 + size].decode("utf-16-le")
for i in range(count):
    kind, size, at = struct.unpack_from("<III", data, directory + 12 * i)
    if kind != 12:
        continue
    head, entry, number, _ = struct.unpack_from("<IIII", data, at)
    for k in range(number):
        fd, type_rva, name_rva, _, access, _, _ = struct.unpack_from("<QIIIIII", data, at + head + k * entry)
        print(fd, access, text(type_rva), text(name_rva))
END
}

configuration ""
crash 1
is "by default there is no such stream" "$(handles "$dump")" ""
is "... and no name of an open file in UTF-16" "$(grep -ac 'r.e.a.d.-.t.h.i.s' "$dump")" 0

configuration ", include: [descriptors]"
is "the configuration is good" "$(status_of cairn check "$scratch/cairn.yaml")" 0
crash 2
list=$(handles "$dump")
has "a file that is read" "$list" "^[0-9]+ 0 file $scratch/read-this\$"
has "one that is written, its name beyond ASCII" "$list" "^[0-9]+ 1 file $scratch/written-ü\$"
has "a socket" "$list" '^[0-9]+ 2 socket socket:\[[0-9]+\]$'
has "a pipe's end for reading" "$list" '^[0-9]+ 0 pipe pipe:\[[0-9]+\]$'
has "and for writing" "$list" '^[0-9]+ 1 pipe pipe:\[[0-9]+\]$'
has "standard output" "$list" '^1 [12] file /dev/null$'
if have_readers; then
    has "minidump_dump knows the stream" "$(minidump_dump "$dump")" 'MD_HANDLE_DATA_STREAM'
    has "minidump_stackwalk reads the dump" "$(stackwalk "$dump")" 'Crash reason: +SIGSEGV'
fi
done_testing
