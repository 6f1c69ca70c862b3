#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# libcairn-threads: programs that embed Cairn and do nothing for their threads, linked as pkg-config says, statically
# and preloaded. A stack that overflows in any thread is reported with the frames of the recursion; no thread leaves anything.
. "$CAIRN_SRCDIR/tests/lib.sh"

PKG_CONFIG_PATH=$CAIRN_STAGE/lib/pkgconfig
export PKG_CONFIG_PATH
# The staged files speak of where they will be.
unset PKG_CONFIG_SYSROOT_DIR
PKG_CONFIG_SYSROOT_DIR=${CAIRN_STAGE%"$(pkg-config --variable=prefix cairn)"}
export PKG_CONFIG_SYSROOT_DIR
CC=${CC:-cc}
CXX=${CXX:-c++}
source=$CAIRN_SRCDIR/tests/crash/threads_victim.c
flags="-g -O1 -Wall -Wextra -Werror"
rpath=-Wl,-rpath,$CAIRN_STAGE/lib
static=$(pkg-config --static --cflags --libs cairn-threads)

# $static and the like are unquoted on purpose: lists.
build() {
    output=$scratch/$1
    shift
    $CC -std=gnu11 $flags -o "$output" "$source" "$@"
}
ok "a program with the library" build linked $(pkg-config --cflags --libs cairn-threads) "$rpath"
ok "... without" build without $(pkg-config --cflags --libs cairn) "$rpath"
ok "... where all is one file" build static -static $static
ok "... linked so, but with the shared ones" build mixed $static "$rpath"
ok "... with archives of Cairn's only" build archives $(pkg-config --cflags cairn) \
    $(echo "$static" | grep -o -e '-Wl,--wrap=[a-z_]*') "$CAIRN_STAGE/lib/libcairn-threads.a" "$CAIRN_STAGE/lib/libcairn.a"
ok "... where the linker takes what is needed only" build as-needed -Wl,--as-needed \
    $(pkg-config --cflags --libs cairn-threads) "$rpath"
for application in program outer; do
    cat >"$scratch/$application.yaml" <<YAML
version: 1
application: { name: $application }
engine: { spool: $spool }
writers: { dump: { plugin: minidump } }
pipelines: { default: { writers: [dump] } }
YAML
done
config=$scratch/program.yaml
preloaded="env LD_PRELOAD=$CAIRN_STAGE/lib/libcairn-threads.so"
under_run="cairn run -c $scratch/outer.yaml --"

# ---- what a thread sees
"$scratch/linked" - answers >"$scratch/answers"
is "all threads have an alternate stack" "$(grep -c ': yes$' "$scratch/answers")" 5
is "... and nothing is wrong" "$(grep -v ': yes$' "$scratch/answers")" ""
for variant in static mixed archives as-needed; do
    is "... $variant, too" "$("$scratch/$variant" - answers)" "$(cat "$scratch/answers")"
done
is "... preloaded, too" "$($preloaded "$scratch/without" - answers)" "$(cat "$scratch/answers")"
has "control: without the library they have none" "$("$scratch/without" - answers)" '^a thread has an alternate stack: no$'
is "under cairn run its library gives the stacks, which are invisible" "$($under_run "$scratch/linked" - answers)" \
    "$($under_run "$scratch/without" - answers)"

# ---- what is reported
# overflows WHAT THROUGH REPORTS COMMAND...: dies of its true signal; each report has the recursion, from a caller on.
overflows() {
    what=$1 through=$2 reports=$3
    shift 3
    rm -rf "$spool"
    is "$what: the true signal" "$(status_of timeout 20 "$@")" 139
    ok "$what: $reports reported" wait_for 20 committed "$reports"
    for report in $(find "$spool" -name report.json); do
        is "$what: the recursion in all its depth, from where it began" "$(python3 -c '
import json, sys
frames = [frame.get("symbol") for frame in json.load(open(sys.argv[1]))["frames"]]
print(frames[0], frames.count("overflow") > 200, sys.argv[2] in frames)' "$report" "$through")" "overflow True True"
    done
}
for kind in pthread c11 early restarted elsewhere destructor detached forked; do
    case $kind in
    c11) through=thread_body_c11 ;;
    early) through=wait_and_overflow ;;
    elsewhere) through=main ;;
    destructor) through=destroy ;;
    *) through=thread_body ;;
    esac
    overflows "$kind" "$through" 1 "$scratch/linked" "$config" "$kind"
done
overflows "static" thread_body 1 "$scratch/static" "$config" pthread
overflows "preloaded" thread_body 1 $preloaded "$scratch/without" "$config" pthread
overflows "under cairn run" thread_body 2 $under_run "$scratch/linked" "$config" pthread
overflows "static copies under cairn run" thread_body 2 $under_run "$scratch/archives" "$config" pthread
if command -v "$CXX" >/dev/null; then
    ok "a C++ program that calls no function of libc's for threads" "$CXX" -std=c++17 $flags -Wl,--as-needed \
        -o "$scratch/std" "$CAIRN_SRCDIR/tests/crash/threads_std.cc" $(pkg-config --cflags --libs cairn-threads) "$rpath"
    overflows "std::thread" thread_body 1 "$scratch/std" "$config"
else
    skip "std::thread" "there is no C++ compiler"
fi
rm -rf "$spool"
is "control: without the library the end is the same" "$(status_of timeout 20 "$scratch/without" "$config" pthread)" 139
ok "... of which only the end is reported" wait_for 20 committed 1
is "... without a frame" "$(field "$(newest)/report.json" kind) $(field "$(newest)/report.json" frames)" "death []"

# ---- what is left; ./check --full has a million threads
threads=${THREADS:-20000}
limit=$((30 + threads / 1000))
nothing="as many mappings as before: yes"
is "$threads threads leave nothing" "$(timeout $limit "$scratch/linked" "$config" count "$threads")" "$nothing"
is "... static" "$(timeout 30 "$scratch/static" - count 2000)" "$nothing"
is "... under cairn run" "$(timeout 30 $under_run "$scratch/linked" "$config" count 2000)" "$nothing"

# ---- sanitizers, which have to be the first in each thread
for sanitizer in address thread; do
    if command -v clang >/dev/null && clang -fsanitize=$sanitizer $flags -std=gnu11 -o "$scratch/sanitized" "$source" \
        $(pkg-config --cflags --libs cairn) "$rpath" 2>"$scratch/err" && "$scratch/sanitized" - count 200 >"$scratch/out" 2>&1; then
        clang -fsanitize=$sanitizer $flags -std=gnu11 -o "$scratch/sanitized" "$source" \
            $(pkg-config --cflags --libs cairn-threads) "$rpath"
        is "with clang's sanitizer of $sanitizer threads work as without the library" \
            "$("$scratch/sanitized" - count 200 2>&1)" "$nothing"
    else
        skip "with the sanitizer of $sanitizer" "clang's does not run here"
    fi
done

done_testing
