#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# First-chance callbacks, and handlers that others put over Cairn's, against a stand-in for the monitor:
# what the program deals with is no crash, all else is reported once and ends by its true signal.
. "$CAIRN_SRCDIR/tests/lib.sh"

CAIRN_LIBEXEC=$CAIRN_BUILDDIR/tests/crash/fake
FAKE_LOG=$scratch/log
FAKE_MODE=capture
export CAIRN_LIBEXEC FAKE_LOG FAKE_MODE
victim=$CAIRN_BUILDDIR/tests/crash/chance

# run KIND: $status, $out, $err, $log (what the monitor saw), $took (milliseconds).
run() {
    rm -f "$FAKE_LOG"
    began=$(date +%s%N)
    timeout 20 "$victim" "$1" >"$scratch/out" 2>"$scratch/err"
    status=$?
    took=$((($(date +%s%N) - began) / 1000000))
    wait_for 5 grep -q 'slot state' "$FAKE_LOG"
    out=$(cat "$scratch/out")
    err=$(cat "$scratch/err")
    log=$(cat "$FAKE_LOG" 2>/dev/null)
}

# survives KIND OUTPUT: and nothing is reported.
survives() {
    run "$1"
    is "$1: the program goes on" "$status $out" "0 $2"
    is "$1: no report" "$(printf '%s\n' "$log" | grep -c '^crash:')" 0
}

# crashes KIND STATUS SIGNAL CODE OUTPUT [REPORTS]: and is reported once per handler. A handler that is
# first in the kernel's eyes is asked again when the fault strikes again.
crashes() {
    run "$1"
    is "$1: exit status and what was said" "$status $(printf '%s' "$out" | awk '!seen[$0]++')" "$2 $5"
    is "$1: reported once" "$(printf '%s\n' "$log" | grep -c '^crash:')" "${6:-1}"
    has "$1: signal and code" "$log" "^crash: signal $3 code $4 thread main context yes"
}

# ---- first chance
survives mend "200 mended"
survives threads "1600 mended"
survives skip "went on after the fault"
survives fork "child: 7"
survives order "newer
older
went on"
crashes spoil 139 11 1 asked
crashes fault 139 11 1 asked
crashes hang 139 11 1 asked
ok "hang: cut short after a second" test "$took" -ge 950 -a "$took" -lt 15000
crashes then-crash 139 11 1 ""
run cost
echo "# $out"
has "cost: a fault that is dealt with takes microseconds" "$out" 'bare, [0-9]{1,5} first chance$'

# ---- handlers over ours
crashes default 139 11 1 ""
crashes ignore 139 11 1 ignored
crashes pass-on 139 11 1 "handler
earlier"
is "pass-on: told of once" "$(printf '%s\n' "$err" | grep -c "^cairn: A handler was installed over Cairn's")" 1
crashes pass-on-number 139 11 1 handler
crashes start 139 11 1 "handler
earlier" 2
crashes restored-fault 139 11 1 ""
crashes restored-abort 134 6 -6 ""
run keep
is "keep: the handler has it its way" "$status $out" "139 handler"
is "keep: which is told of, once" "$(printf '%s\n' "$err" | grep -c "^cairn: A handler was installed over Cairn's")" 1
is "keep: and not reported" "$(printf '%s\n' "$log" | grep -c '^crash:')" 0

done_testing
