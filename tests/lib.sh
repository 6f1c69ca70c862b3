# SPDX-License-Identifier: Apache-2.0
# What the shell tests share: TAP, the staged installation, a scratch folder, bounded waits, the
# readers. Sourced by every test; POSIX sh and coreutils.

set -u
ulimit -c 0
umask 022

: "${CAIRN_SRCDIR:?run me through make check}" "${CAIRN_BUILDDIR:?}" "${CAIRN_STAGE:?}"
PATH=$CAIRN_STAGE/bin:$PATH
CAIRN_LIBEXEC=$CAIRN_STAGE/libexec/cairn
CAIRN_PLUGIN_PATH=$CAIRN_STAGE/lib/cairn/plugins
CAIRN_PRELOAD=$CAIRN_STAGE/lib/cairn/libcairn-preload.so
CAIRN_CONFIG=$CAIRN_STAGE/etc/cairn/cairn.yaml
export PATH CAIRN_LIBEXEC CAIRN_PLUGIN_PATH CAIRN_PRELOAD CAIRN_CONFIG
READERS=${CAIRN_READERS:-$CAIRN_SRCDIR/build/readers}

scratch=$(mktemp -d "${TMPDIR:-/tmp}/cairn-test-XXXXXX") || exit 99
spool=$scratch/spool
CAIRN_CONSENT=$scratch/consent # nothing that this user has answered counts
CAIRN_TEST_MARK=$scratch # whose processes are whose
export CAIRN_CONSENT CAIRN_TEST_MARK
tap_count=0
tap_failed=0
started=

finish() {
    for pid in $started; do
        kill "$pid" 2>/dev/null
    done
    if [ "$tap_failed" -eq 0 ] && [ -z "${CAIRN_KEEP:-}" ]; then
        rm -rf "$scratch"
    else
        echo "# files are kept in $scratch"
    fi
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

# ok DESCRIPTION COMMAND...: passes when the command succeeds; its output becomes comments on failure.
ok() {
    description=$1
    shift
    tap_count=$((tap_count + 1))
    if "$@" >"$scratch/.ok" 2>&1; then
        echo "ok $tap_count - $description"
        return 0
    fi
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_count - $description"
    echo "# command: $*"
    sed 's/^/# /' "$scratch/.ok" | head -40
    return 1
}

# is DESCRIPTION GOT WANTED
is() {
    tap_count=$((tap_count + 1))
    if [ "$2" = "$3" ]; then
        echo "ok $tap_count - $1"
        return 0
    fi
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_count - $1"
    printf '%s\n' "$2" | sed 's/^/# got:    /' | head -20
    printf '%s\n' "$3" | sed 's/^/# wanted: /' | head -20
    return 1
}

# has DESCRIPTION TEXT PATTERN: the text has a line that matches the extended regular expression.
has() {
    tap_count=$((tap_count + 1))
    if printf '%s\n' "$2" | grep -Eq -- "$3"; then
        echo "ok $tap_count - $1"
        return 0
    fi
    tap_failed=$((tap_failed + 1))
    echo "not ok $tap_count - $1"
    echo "# wanted: $3"
    printf '%s\n' "$2" | sed 's/^/# got: /' | head -40
    return 1
}

skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

done_testing() {
    echo "1..$tap_count"
    [ "$tap_failed" -eq 0 ]
    exit
}

# wait_for SECONDS COMMAND...: until the command succeeds; 1 when the time is over.
wait_for() {
    rounds=$(($1 * 20))
    shift
    while [ "$rounds" -gt 0 ]; do
        if "$@" >/dev/null 2>&1; then
            return 0
        fi
        sleep 0.05
        rounds=$((rounds - 1))
    done
    return 1
}

# processes NAME...: those of this test, by their names; its environment marks them.
processes() {
    for name in "$@"; do
        for comm in $(grep -lx -e "$name" /proc/[0-9]*/comm 2>/dev/null); do
            pid=${comm#/proc/} pid=${pid%/comm}
            if grep -qz "^CAIRN_TEST_MARK=$scratch\$" "/proc/$pid/environ" 2>/dev/null; then
                echo "$pid"
            fi
        done
    done
}
no_process() {
    [ -z "$(processes "$@")" ]
}

# idle: of what this test has started no process of Cairn's is at work any more.
idle() {
    no_process cairn-monitor cairn-engine cairn-sender
}

# field JSON-FILE PATH: one value of a JSON file, dots between keys, "-" when it is absent.
field() {
    python3 -c '
import json, sys
value = json.load(open(sys.argv[1]))
for key in sys.argv[2].split("."):
    try:
        value = value[int(key)] if isinstance(value, list) else value[key]
    except (KeyError, IndexError, TypeError, ValueError):
        value = "-"
        break
print(json.dumps(value) if isinstance(value, (dict, list, bool)) or value is None else value)
' "$1" "$2"
}

# committed COUNT: there are at least COUNT reports in pending or delivered.
committed() {
    [ "$(find "$spool" -path '*/incoming' -prune -o -name report.json -print 2>/dev/null | wc -l)" -ge "$1" ]
}

delivered() {
    [ "$(find "$spool" -path '*/delivered/*/report.json' 2>/dev/null | wc -l)" -ge "$1" ]
}

# The folder of the newest report that is not in incoming.
newest() {
    find "$spool" -path '*/incoming' -prune -o -name report.json -print | sed 's,/report.json$,,' |
        awk -F/ '{ print $NF, $0 }' | sort | tail -n 1 | cut -d' ' -f2-
}

# signal_status COMMAND...: runs it in a shell that says how it ended, as $? would.
status_of() {
    "$@" >"$scratch/out" 2>"$scratch/err"
    echo $?
}

# Breakpad's prebuilt readers, installed by ./check.
stackwalk() {
    "$READERS/minidump_stackwalk" "$1" 2>/dev/null
}
minidump_dump() {
    "$READERS/minidump_dump" "$1" 2>/dev/null
}
have_readers() {
    [ -x "$READERS/minidump_stackwalk" ] && [ -x "$READERS/minidump_dump" ]
}
