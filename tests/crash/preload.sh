#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The preload library in programs that know nothing of Cairn, against a stand-in for the monitor: their own
# handlers are remembered, chained and reported back, and nothing else changes for them.
. "$CAIRN_SRCDIR/tests/lib.sh"

CAIRN_LIBEXEC=$CAIRN_BUILDDIR/tests/crash/fake
FAKE_LOG=$scratch/log
export CAIRN_LIBEXEC FAKE_LOG
library=$CAIRN_BUILDDIR/.libs/libcairn-preload.so
program=$CAIRN_BUILDDIR/tests/crash/preloaded

# preloaded COMMAND...: as `cairn run` starts it; $status, $out, $err, $log.
preloaded() {
    rm -f "$FAKE_LOG"
    timeout "${limit:-30}" env LD_PRELOAD="${preload:-$library}" CAIRN_RUN_CONFIG=/etc/cairn.yaml \
        CAIRN_RUN_APPLICATION=other "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    wait_for 5 grep -q 'slot state' "$FAKE_LOG"
    out=$(cat "$scratch/out")
    err=$(cat "$scratch/err")
    log=$(cat "$FAKE_LOG" 2>/dev/null)
}

# captured NAME STATUS SIGNAL: crashed, and was reported once.
captured() {
    is "$1: exit status" "$status" "$2"
    is "$1: reported once" "$(printf '%s\n' "$log" | grep -c "^crash: signal $3 ")" 1
}

"$program" query >"$scratch/without"
preloaded "$program" query
is "handlers look the same as without Cairn" "$out" "$(cat "$scratch/without")"
is "control: all answers are yes" "$(printf '%s\n' "$out" | grep -cv -e ': yes$' -e '^handler$')" 0
"$program" stacks >"$scratch/without"
preloaded "$program" stacks
is "so do alternate stacks" "$out" "$(cat "$scratch/without")"

"$program" masks >"$scratch/without"
preloaded "$program" masks
is "so do signal masks" "$out" "$(cat "$scratch/without")"
is "control: all answers are yes" "$(printf '%s\n' "$out" | grep -cv -e ': yes$' -e '^handler$')" 0
"$program" waits >"$scratch/without"
preloaded "$program" waits
is "so do masks that are in force during a wait" "$out" "$(cat "$scratch/without")"
is "control: all answers are yes" "$(printf '%s\n' "$out" | grep -cv -e ': yes$')" 0
# ./check --full has a million of them.
threads=${THREADS:-20000}
limit=$((30 + threads / 2000))
preloaded "$program" threads "$threads"
unset limit
is "$threads threads leave nothing" "$out" "as many mappings as before: yes"

preloaded "$program" crash
captured crash 139 11
preloaded "$program" abort
captured abort 134 6
preloaded "$program" bare
captured "a fault without thread-local variables" 139 11
preloaded "$program" handler
captured "a handler of signal()" 139 11
is "... is chained once" "$out" handler
preloaded "$program" restoring
captured "a handler that restores the default and raises" 139 11
is "... is chained once, with the siginfo" "$out" "handler with address"
preloaded "$program" overflow
captured "stack overflow after the program gave up its own alternate stack" 139 11

preloaded "$program" environment
is "the environment is the program's own" "$out" ""
preload=$library:/nonexistent/user.so
preloaded "$program" environment
is "the user's own preload stays" "$out" "LD_PRELOAD=/nonexistent/user.so"
preload="/nonexistent/user.so $library"
preloaded "$program" environment
is "... before ours too" "$out" "LD_PRELOAD=/nonexistent/user.so"
unset preload
preloaded env sh -c 'echo "${LD_PRELOAD:-none} ${CAIRN_RUN_CONFIG:-none}"'
is "what the program starts does not see it" "$out" "none none"

FAKE_MODE=fail preloaded "$program" environment
is "Cairn does not start: the program runs" "$status" 0
is "... and one sentence says so" "$err" \
    "cairn run: this program runs without Cairn: cairn.yaml:1:1: nothing is right here."

if [ -x /usr/bin/python3 ]; then
    preloaded /usr/bin/python3 -X faulthandler -c 'import ctypes; ctypes.string_at(16)'
    captured "python3 with its faulthandler" 139 11
    has "... whose traceback is printed" "$err" '^Fatal Python error: Segmentation fault'
fi
if command -v perl >/dev/null; then
    preloaded perl -e '$| = 1; $SIG{USR1} = sub { print "caught\n" }; kill USR1 => $$; $SIG{SEGV} = sub { }; kill ABRT => $$; sleep 1'
    captured perl 134 6
    is "perl's own signals work" "$out" caught
fi
preloaded sh -c 'exit 7'
is "a program that does not crash keeps its status" "$status" 7

done_testing
