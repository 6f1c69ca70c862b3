#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every allocation and every system call of the engine and the sender fails once, either is killed at any of
# them, and the monitor's system calls fail: the report is there, or still waits whole, or it is said why
# not. FAULT_RUNS (8) bounds how many calls of each kind are tried; 0 is all.
. "$CAIRN_SRCDIR/tests/lib.sh"
. "$CAIRN_SRCDIR/tests/engine/fakes.sh"

CONTROL=$control
export CONTROL
library=$scratch/fault.so
config=$scratch/shop.yaml
runs=${FAULT_RUNS:-8}
[ "$runs" -gt 0 ] || runs=1000000
cat >"$config" <<END
version: 1
engine: { spool: $spool }
filters: { fatal: { plugin: signal, signals: [SEGV] } }
annotators: { build: { plugin: static, values: { team: payments } } }
writers: { dump: { plugin: minidump }, summary: { plugin: text } }
transports: { upload: { plugin: fake, file: $control, log: $scratch/upload.log } }
pipelines:
  default:
    filters: [fatal]
    annotators: [build]
    writers: [dump, summary]
    transports: [upload]
END
echo deliver >"$control"
ok "the library that makes calls fail" ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -O1 -shared \
    -fPIC -fno-builtin -o "$library" "$CAIRN_SRCDIR/tests/engine/fault.c" -ldl

python3 "$CAIRN_SRCDIR/tests/engine/faults.py" "$CAIRN_LIBEXEC" "$library" "$config" "$crash_dump" \
    "$scratch" "$runs" >"$scratch/results" 2>"$scratch/python.err"
is "the trials ran to their end" "$(cat "$scratch/python.err")" ""
while IFS= read -r line; do
    case $line in
    'ok - '*) ok "${line#ok - }" true ;;
    'not ok - '*) is "${line#not ok - }" "a broken promise" "" ;;
    *) echo "$line" ;;
    esac
done <"$scratch/results"
done_testing
