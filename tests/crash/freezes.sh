#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Real crashes in which a process of Cairn is killed or frozen at a named point, or a system call or an
# allocation of the monitor fails: one report, whole, and a dead program in time (freezes.py). The short form has one of
# three; with FREEZES_FULL=1 all.
. "$CAIRN_SRCDIR/tests/lib.sh"

# Makes the monitor's allocations fail.
# shellcheck disable=SC2086 # a command with its options
ok "the library that makes calls fail" ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O1 -shared \
    -fPIC -fno-builtin -o "$scratch/fault.so" "$CAIRN_SRCDIR/tests/engine/fault.c" -ldl
full=
[ -n "${FREEZES_FULL:-}" ] && full=--full
# $full is unquoted on purpose: it may be nothing.
python3 -B "$CAIRN_SRCDIR/tests/crash/freezes.py" $full --jobs 8 "$CAIRN_LIBEXEC" "$CAIRN_PLUGIN_PATH" \
    "$CAIRN_BUILDDIR/tests/crash/tier_victim" "$scratch" >"$scratch/results" 2>"$scratch/python.err"
is "the trials ran to their end" "$(cat "$scratch/python.err")" ""
while IFS= read -r line; do
    case $line in
    'ok - '*) ok "${line#ok - }" true ;;
    'not ok - '*) is "${line#not ok - }" "a broken promise" "" ;;
    *) echo "$line" ;;
    esac
done <"$scratch/results"
ok "every point, and controls that are wrong, were tried" test "$tap_count" -ge 30
if command -v strace >/dev/null; then
    calls=$(grep -c '^ok - system call' "$scratch/results")
    ok "most system calls were made, and failed" test "$(grep -c ' # failed, dead' "$scratch/results")" -gt $((calls / 2))
fi
done_testing
