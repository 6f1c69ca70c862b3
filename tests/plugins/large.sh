#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The minidump writer and large dumps: the first writer takes the captured file itself, the second copies
# it, the third compresses it; all three hold the same bytes, and none what was not asked for.
. "$CAIRN_SRCDIR/tests/lib.sh"

cat >"$scratch/large.c" <<'END'
#include <stdlib.h>
#include <string.h>
int main(void)
{
    size_t bytes = 24u << 20;
    unsigned char *heap = malloc(bytes);
    unsigned seed = 1;
    for (size_t i = 0; i < bytes / 2; i++) {
        heap[i] = (unsigned char)((seed = seed * 1664525 + 1013904223) >> 24);
    }
    memset(heap + bytes / 2, 7, bytes / 2);
    *(volatile int *)8 = heap[5];
    return 0;
}
END
ok "the program is built" "${CC:-cc}" -O1 -w -o "$scratch/large" "$scratch/large.c"

# configure WRITERS...: a configuration with these; each has all memory.
configure() {
    {
        echo "version: 1"
        echo "engine: { spool: $spool, limits: { report: 1GiB, total: 2GiB, free: 1MiB } }"
        echo "writers:"
        printf '  %s }\n' "$@"
        echo "pipelines: { default: { writers: [$(printf '%s\n' "$@" | sed 's/:.*//' | paste -sd,)] } }"
    } >"$scratch/cairn.yaml"
}
# crash: $folder is the new report's.
crashes=0
crash() {
    crashes=$((crashes + 1))
    LARGE_SECRET=not-for-the-dump cairn run -c "$scratch/cairn.yaml" -- "$scratch/large" 2>/dev/null
    is "it dies of its true signal" "$?" 139
    ok "a report" wait_for 30 committed "$crashes"
    folder=$(newest)
}
full="plugin: minidump, memory: full, timeout: 30s"
digests() {
    python3 -c '
import hashlib, json, os, sys
for artifact in json.load(open(sys.argv[1] + "/report.json"))["artifacts"]:
    data = open(os.path.join(sys.argv[1], artifact["name"]), "rb").read()
    good = hashlib.sha256(data).hexdigest() == artifact["sha256"] and len(data) == artifact["size"]
    print(artifact["name"], artifact["media_type"], "good" if good else "bad")' "$folder"
}

configure "taken: { $full" "copied: { $full" "open: { $full, include: [environment]"
crash
is "names, types and digests" "$(digests)" "taken.dmp application/x-dmp good
copied.dmp application/x-dmp good
open.dmp application/x-dmp good"
ok "the dump is large" test "$(wc -c <"$folder/taken.dmp")" -gt 25165824
ok "the one that was taken and the one that was copied are the same" cmp "$folder/taken.dmp" "$folder/copied.dmp"
is "neither has the environment" "$(grep -ac not-for-the-dump "$folder/taken.dmp")" 0
ok "control: the one that shall have it has" grep -aq not-for-the-dump "$folder/open.dmp"
ok "the captured file is not there any more" test ! -e "$folder/capture.dmp"
is "nothing is missing" "$(field "$folder/report.json" notes)" "[]"
if [ -x "$READERS/minidump_stackwalk" ]; then
    has "Breakpad's reader takes it" "$("$READERS/minidump_stackwalk" "$folder/taken.dmp" 2>/dev/null)" \
        '^Crash reason:  SIGSEGV'
fi

# Large files are digested by a module. Where it is missing, of another version or fails, nobody hears of
# it; one that lies shows that it is asked, and that what is small is done without it.
cat >"$scratch/digest.c" <<'END'
#include "core/engine/digest.h"
#include <string.h>
static int sha256(int fd, char ret_hex[65])
{
    (void)fd;
    memset(ret_hex, 'a', 64);
    ret_hex[64] = '\0';
    return RESULT;
}
const struct digest_module cairn_digest = { VERSION, sha256 };
END
mkdir "$scratch/libexec"
ln -s "$CAIRN_LIBEXEC"/cairn-monitor "$CAIRN_LIBEXEC"/cairn-engine "$CAIRN_LIBEXEC"/cairn-sender \
    "$CAIRN_LIBEXEC"/cairn-stackwalk.so "$scratch/libexec/"
version=$(cairn --version | sed -n '1s/.* //p')
CAIRN_LIBEXEC=$scratch/libexec
configure "taken: { $full" "text: { plugin: text"
# digested WHAT VERSION RESULT WANTED: a report with such a module, none without a version.
digested() {
    rm -f "$scratch/libexec/cairn-digest.so"
    if [ -n "$2" ]; then
        ok "$1: built" "${CC:-cc}" -shared -fPIC -w -I"$CAIRN_SRCDIR" -DVERSION="\"$2\"" -DRESULT="$3" \
            -o "$scratch/libexec/cairn-digest.so" "$scratch/digest.c"
    fi
    crash
    is "$1: the digests" "$(digests | sort)" "taken.dmp application/x-dmp $4
text.txt text/plain good"
    is "$1: not a word" "$(field "$folder/report.json" notes; grep -rlI digest.so "$spool")" "[]"
}
digested "no module" "" 0 good
digested "a module of another version" "$version-old" 0 good
digested "a module that fails" "$version" -3 good
digested "control: a module that lies" "$version" 0 bad
CAIRN_LIBEXEC=$CAIRN_STAGE/libexec/cairn

# What is taken is not put out: an output limit is for copies. These are shortened.
configure "taken: { $full, output_limit: 1MiB" "copied: { $full, output_limit: 1MiB"
crash
is "an output limit" "$(digests)" "taken.dmp application/x-dmp good
copied.dmp application/x-dmp good"
has "... holds for copies" "$(field "$folder/report.json" notes)" '"copied: [0-9]+ bytes of memory were left out .* 1048576 bytes'
ok "... to the byte" test "$(wc -c <"$folder/copied.dmp")" -le 1048576
is "... without what shall not be in it" "$(grep -ac not-for-the-dump "$folder/copied.dmp")" 0
if [ -x "$READERS/minidump_stackwalk" ]; then
    # A list of memory that is not what it should be would be said on standard error.
    is "... and is a minidump: the crashed thread is walked the same" \
        "$("$READERS/minidump_stackwalk" "$folder/copied.dmp" 2>/dev/null | sed -n '/^Thread 0 (crashed)/,/^Thread 1/p')" \
        "$("$READERS/minidump_stackwalk" "$folder/taken.dmp" 2>/dev/null | sed -n '/^Thread 0 (crashed)/,/^Thread 1/p')"
    has "... whose memory can be listed" "$("$READERS/minidump_dump" "$folder/copied.dmp" 2>/dev/null)" '^MinidumpMemoryList'
fi

configure "dump: { $full, compress: zstd"
if [ "$(status_of cairn check "$scratch/cairn.yaml")" -ne 0 ]; then
    skip "compressed dumps" "built without zstd"
    done_testing
fi
configure "taken: { $full" "small: { $full, compress: zstd, level: 1"
crash
is "compressed: names, types and digests" "$(digests)" "taken.dmp application/x-dmp good
small.dmp.zst application/zstd good"
ok "it is smaller" test "$(wc -c <"$folder/small.dmp.zst")" -lt "$(($(wc -c <"$folder/taken.dmp") * 2 / 3))"
zstd -dqc "$folder/small.dmp.zst" >"$scratch/unpacked.dmp"
ok "unpacked it is the same as the other" cmp "$folder/taken.dmp" "$scratch/unpacked.dmp"
is "a reader says what to do" "$(status_of cairn process -c "$scratch/cairn.yaml" "$folder/small.dmp.zst")" 65
has "... in words" "$(cat "$scratch/err")" 'small.dmp.zst is compressed; zstd -d makes a minidump of it'
# Compressed it may fit, or not; then less of it is compressed.
configure "small: { $full, compress: zstd, level: 1, output_limit: 2MiB"
crash
is "too large even compressed" "$(digests)" "small.dmp.zst application/zstd good"
ok "... it is shortened" test "$(wc -c <"$folder/small.dmp.zst")" -le 2097152
ok "... and can be unpacked" zstd -dqf "$folder/small.dmp.zst" -o "$scratch/short.dmp"
ok "... into less than there is room for" test "$(wc -c <"$scratch/short.dmp")" -le 2097152
is "... which our own reader takes" "$(status_of cairn process -c "$scratch/cairn.yaml" "$scratch/short.dmp")" 0
configure "bad: { $full, compress: zstd, level: 20"
status=$(status_of cairn check "$scratch/cairn.yaml")
is "levels have bounds" "$status" 78
done_testing
