#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The ABI of libcairn: a program that was compiled against any released cairn.h runs with today's library,
# and structures grow at their end only.
. "$CAIRN_SRCDIR/tests/lib.sh"

CC=${CC:-cc}
CAIRN_LIBEXEC=$CAIRN_BUILDDIR/tests/crash/fake
FAKE_LOG=$scratch/log
FAKE_MODE=capture
export CAIRN_LIBEXEC FAKE_LOG FAKE_MODE

# build VERSION HEADER: the program of that version.
build() {
    mkdir -p "$scratch/$1/cairn"
    cp "$2" "$scratch/$1/cairn/cairn.h"
    printf '#include <cairn/cairn.h>\nstatic const struct cairn_options options = CAIRN_OPTIONS_INIT;\nint main() { return options.flags; }\n' \
        >"$scratch/$1.cc"
    ok "$1: clean C++17" "${CXX:-g++}" -std=c++17 -pedantic -Wall -Wextra -Werror -I"$scratch/$1" -fsyntax-only "$scratch/$1.cc"
    ok "$1: clean C11, and links" "$CC" -std=c11 -pedantic -Wall -Wextra -Werror -I"$scratch/$1" -o "$scratch/$1/embed" \
        "$CAIRN_SRCDIR/tests/abi/embed.c" -L"$CAIRN_STAGE/lib" -Wl,-rpath,"$CAIRN_STAGE/lib" -lcairn
    "$scratch/$1/embed" layout >"$scratch/$1.txt"
}
# kept OLD NEW: what has changed or shrunk.
kept() {
    awk '$1 == "sizeof" && FILENAME == ARGV[1] { size[$2] = $3; next }
        $1 == "sizeof" { if ($3 < size[$2]) { print $2, "has shrunk from", size[$2], "to", $3 } next }
        FILENAME == ARGV[1] { line[$0] = 1; next }
        { delete line[$0] }
        END { for (gone in line) { print "changed: " gone } }' "$1" "$2"
}

build today "$CAIRN_SRCDIR/include/cairn/cairn.h"
for frozen in "$CAIRN_SRCDIR"/tests/abi/[0-9]*/cairn.h; do
    version=$(basename "$(dirname "$frozen")")
    build "$version" "$frozen"
    is "$version: today's structures only grew at their end" "$(kept "$scratch/$version.txt" "$scratch/today.txt")" ""
    rm -f "$FAKE_LOG"
    is "$version: crashes by its true signal" "$(status_of "$scratch/$version/embed" crash)" 139
    is "$version: its callbacks are called, nothing that it does not know is" "$(cat "$scratch/out")" \
        "filter: signal 11, mine
post-dump: success 1, mine"
done
sed 's/cairn_options.user at 56/cairn_options.user at 48/; s/sizeof cairn_crash 32/sizeof cairn_crash 24/' "$scratch/today.txt" \
    >"$scratch/other.txt"
is "control: a moved member and a shrunk structure are found" "$(kept "$scratch/today.txt" "$scratch/other.txt" | wc -l)" 2

done_testing
