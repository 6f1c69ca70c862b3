#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Children: of fork(), which are reported as the configuration says, each once, whatever the program itself
# does meanwhile; of exec() under `cairn run --children`; and processes that are no children at all.
. "$CAIRN_SRCDIR/tests/lib.sh"

victim=$CAIRN_BUILDDIR/tests/crash/children_victim
spool=$scratch/spool
CONFIG=$scratch/fork.yaml
export CONFIG

# configuration NAME ENGINE-KEYS
configuration() {
    cat >"$scratch/$1.yaml" <<END
version: 1
application: { name: shop }
engine: { spool: $spool, clocks: { claim: 10s, hold: 20s }$2 } # a busy machine is not what is tried here
writers: { dump: { plugin: minidump } }
pipelines: { default: { writers: [dump] } }
END
}
configuration fork ""
configuration ignore ", children: ignore"
configuration all ", children: all"

reports() {
    find "$spool" -path '*/incoming' -prune -o -name report.json -print 2>/dev/null
}
# run KIND [ARGUMENT]: the victim from an empty spool; then $status, $out, and its monitor has ended.
run() {
    rm -rf "$spool"
    timeout 60 "$victim" "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    out=$(cat "$scratch/out")
}
gone() {
    ! kill -0 "$1" 2>/dev/null || grep -q '^State:.*Z' "/proc/$1/status"
}
settled() {
    find "$spool" -name '*.reserve' 2>/dev/null | grep -q . && return 1
    find "$spool" -name capture.dmp -path '*/incoming/*' 2>/dev/null | grep -q . && return 1
    return 0
}
# reported COUNT DESCRIPTION: exactly so many reports, once the monitor is at its end, which takes its reserve
# away.
reported() {
    wait_for 20 committed "$1"
    wait_for 20 settled
    is "$2" "$(reports | wc -l)" "$1"
}
# symbols: of the first frame of all reports.
symbols() {
    for report in $(reports); do
        field "$report" frames.0.symbol
    done | sort | uniq -c | awk '{ print $1, $2 }' | tr '\n' ' '
}
attribute() {
    python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["attributes"].get(sys.argv[2]))' "$1" "$2"
}

# ---- fork
run fork
child=$(sed -n 's/^child \([0-9]*\): signal 11$/\1/p' "$scratch/out")
ok "fork: the child dies of its true signal" test -n "$child"
is "... and its parent goes on" "$status" 0
reported 1 "... one report"
report=$(newest)/report.json
is "... of the child's process" "$(field "$report" crash.pid)" "$child"
is "... of kind crash, by the monitor" "$(field "$report" kind) $(field "$report" tier)" "crash 1"
is "... where it crashed" "$(symbols)" "1 crash_child "
has "... that names its parent" "$(attribute "$report" process.parent)" '^[0-9]+$'
is "... which is the program" "$(attribute "$report" process.main)" "$(attribute "$report" process.parent)"
is "... with what the program said" "$(attribute "$report" shop.region)" eu-1

run during-dump
has "a child that was made during cairn_dump() starts Cairn, and gets a report of its own" "$out" "^child's own dump 0\$"
wait_for 20 settled # its engines would make their reports in the next one's spool

run large
is "large: three children die of their signals" "$(grep -c '^child [0-9]*: signal 11$' "$scratch/out")" 3
reported 3 "... three reports"
has "... and of the processes that the monitor made for them not one is left" "$out" '^zombies 0$'

# each ATTRIBUTE: of all reports, sorted.
each() {
    for report in $(reports); do
        attribute "$report" "$1"
    done | sort | tr '\n' ','
}
# The reserve of tier 2 is the whole family's: of its children one has a report, and the request is the monitor's.
for CAIRN_TEST_TIER in 1 2; do # 1 is none of its values
    export CAIRN_TEST_TIER
    run workers
    wanted='none,order 1\x01,order 2\x01,'
    [ "$CAIRN_TEST_TIER" -eq 2 ] && wanted='none,order 1\x01,'
    reported $((4 - CAIRN_TEST_TIER)) "tier $CAIRN_TEST_TIER, texts in registered memory: reports"
    is "... with their own, and not the annotation's of that name" "$(each shop.request)" "$wanted"
    is "... one that was never written is empty, one without an end is cut" \
        "$(each shop.unwritten | tr -d ,) $(each shop.endless | tr ',' '\n' | awk '{ print length() }' | sort -u)" " 2047"
    is "... where no setter can be called" "$(grep -c '^set -' "$scratch/out")" 2
done
unset CAIRN_TEST_TIER

CONFIG=$scratch/ignore.yaml run fork
has "ignore: the child's signal" "$out" '^child [0-9]*: signal 11$'
reported 0 "... and no report"

POST_DUMP=1 run fork
child=$(sed -n 's/^child \([0-9]*\): signal 11$/\1/p' "$scratch/out")
reported 1 "with a post-dump callback: one report"
has "... which is told to the child" "$out" "^post-dump $child: success 1 id $(basename "$(newest)")\$"
FILTER=no run fork
has "the filter says no: the child's signal" "$out" '^child [0-9]*: signal 11$'
reported 0 "... and no report"

run daemon "$scratch/pid"
reported 1 "a daemon, whose program has ended"
report=$(newest)/report.json
is "... by its process" "$(field "$report" crash.pid)" "$(cat "$scratch/pid")"
is "... where it crashed" "$(symbols)" "1 crash_child "
ok "... which is nobody's child any more" test "$(attribute "$report" process.parent)" != "$(attribute "$report" process.main)"

# The monitor is who holds the reserve open, besides the child, which has it mapped only.
run linger "$scratch/now"
wait_for 5 pgrep -f "^$victim linger $scratch/now"
monitor=$(for fd in /proc/[0-9]*/fd/*; do
    case $(readlink "$fd") in "$spool"/*.reserve) echo "$fd" | cut -d/ -f3 ;; esac
done 2>/dev/null)
ok "its monitor is still there" grep -q '^Name:.*cairn-monitor' "/proc/$monitor/status"
switches() {
    cat /proc/"$monitor"/task/*/status | awk '/voluntary_ctxt_switches/ { sum += $2 } END { print sum }'
}
sleeps() {
    before=$(switches)
    sleep 0.5
    [ "$(switches)" = "$before" ]
}
ok "... and comes to rest" wait_for 1 sleeps
touch "$scratch/now"
reported 1 "... until its child crashes"
ok "... and then ends" wait_for 10 gone "$monitor"

run at-once 3+
is "three at once and their parent: the parent's signal" "$status" 139
reported 4 "... a report each"
is "... where each crashed" "$(symbols)" "3 crash_child 1 crash_parent "
is "... by four processes" "$(for report in $(reports); do field "$report" crash.pid; done | sort -u | wc -l)" 4
run at-once 20
is "more children than slots: all end" "$(printf '%s\n' "$out" | grep -c ': signal 11$')" 20
reported 20 "... a report each"

run server 200
has "a server: no descriptor is left" "$out" '^descriptors \+0$'
reported 1 "... its 201st child is reported"

run stop-in-child
has "cairn_stop() in a child: its signal" "$out" '^child [0-9]*: signal 11$'
is "... the program's own" "$status" 139
reported 1 "... and only the program is reported"
is "... where it crashed" "$(symbols)" "1 crash_parent "
run stop-in-parent
reported 1 "cairn_stop() in the parent: the child is still reported"

run vfork
has "a child of vfork(): its signal" "$out" '^child [0-9]*: signal 11$'
reported 1 "... is left alone, the program is reported"
is "... where it crashed" "$(symbols)" "1 crash_parent "
run vfork-of-child
reported 1 "... so is one of a fork child"
is "... which is reported itself" "$(symbols)" "1 crash_parent "
run clone
reported 1 "a child that was made past libc"
FILTER=slowly run during-crash
is "a child that is made while a thread crashes: the program's signal" "$status" 139
reported 2 "... both are reported"
is "... where each crashed" "$(symbols)" "1 crash_child 1 crash_parent "

# ---- without the monitor
CAIRN_TEST_TIER=2 run fork
has "tier 2: the child's signal" "$out" '^child [0-9]*: signal 11$'
wait_for 20 committed 1
is "... one report" "$(reports | wc -l) $(field "$(newest)/report.json" tier)" "1 2"
is "... of the child" "$(field "$(newest)/report.json" crash.pid) $(symbols)" \
    "$(sed -n 's/^child \([0-9]*\):.*/\1/p' "$scratch/out") 1 crash_child "
has "... that names its parent" "$(attribute "$(newest)/report.json" process.parent)" '^[0-9]+$'

# ---- lies
sleep 60 &
started="$started $!"
run lie "$!"
has "another process in a child's slot is refused" "$out" '^state 4 error -22 id ""$'
reported 0 "... without a report"
has "... which the log says" "$(cat "$spool"/shop/cairn.log)" "Process $! could not be captured: it is not the program"
run lie 0
has "so is none" "$out" '^state 4 error -22 id ""$'
run lie -1
has "... and all" "$out" '^state 4 error -22 id ""$'

# ---- cairn run
under() {
    rm -rf "$spool"
    PRELOADED=1 timeout 60 cairn run -c "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    out=$(cat "$scratch/out")
}
under "$scratch/fork.yaml" "$victim" fork
reported 1 "cairn run: a fork child is reported"
under "$scratch/ignore.yaml" "$victim" fork
reported 0 "... with ignore it is not"
if [ -x /usr/bin/python3 ]; then
    under "$scratch/fork.yaml" /usr/bin/python3 -c '
import ctypes, os
if os.fork() == 0:
    ctypes.string_at(16)
os.wait()'
    reported 1 "... python3's os.fork(), too"
fi

# Two shells, so that neither becomes the program.
script="'$victim' fork; true"
under "$scratch/fork.yaml" sh -c "sh -c \"$script\"; true"
has "exec: the crash of what is started" "$out" '^child [0-9]*: signal 11$'
reported 0 "... is not reported"
under "$scratch/fork.yaml" --children sh -c "sh -c \"$script\"; true"
has "--children: the same crash" "$out" '^child [0-9]*: signal 11$'
reported 1 "... is reported"
under "$scratch/all.yaml" sh -c "sh -c \"$script\"; true"
reported 1 "... as it is with the configuration's word"
under "$scratch/all.yaml" --application tree sh -c "'$victim' fork; true"
reported 1 "... once"
is "... under the name that was given" "$(find "$spool" -path '*/tree/*' -name report.json | wc -l)" 1
# A shell that has become another program would have Cairn all the same, see below; so it stays.
clear='unset LD_PRELOAD; sh -c'
under "$scratch/all.yaml" sh -c "($clear \"'$victim' fork; true\"); true"
reported 0 "a cleared environment: what a child becomes runs without"
under "$scratch/all.yaml" sh -c "(LD_PRELOAD= sh -c \"'$victim' fork; true\"); true"
reported 0 "... and with a preload of its own"
is "... and says nothing" "$(cat "$scratch/err")" ""

# What the process itself becomes is still the program that was to be run.
under "$scratch/fork.yaml" env -i CAIRN_LIBEXEC="$CAIRN_LIBEXEC" CAIRN_PLUGIN_PATH="$CAIRN_PLUGIN_PATH" PRELOADED=1 "$victim" fork
reported 1 "the process becomes another program, past the environment: it is reported"
printf '#!/usr/bin/env sh\nexec sh -c "exec \\"\$0\\" fork" "%s"\n' "$victim" >"$scratch/wrapper"
chmod +x "$scratch/wrapper"
under "$scratch/fork.yaml" --application tree "$scratch/wrapper"
reported 1 "... so it is behind a script of env's, and two shells"
is "... under the name that was given" "$(find "$spool" -path '*/tree/*' -name report.json | wc -l)" 1
echo 'echo "${LD_PRELOAD:-none} ${CAIRN_RUN_PROCESS:-none}"' >"$scratch/print"
under "$scratch/fork.yaml" sh -c "exec env -u HOME sh '$scratch/print'"
is "... and sees nothing of it" "$out" "none none"
under "$scratch/fork.yaml" env LD_PRELOAD=/nonexistent.so sh "$scratch/print"
is "... but what it preloads by itself" "$out" "/nonexistent.so none"
under "$scratch/ignore.yaml" env "$victim" fork
reported 0 "... with ignore its children are not"
${CC:-cc} -static -o "$scratch/static" -x c - <<'END'
#include <unistd.h>
int main(int argc, char **argv)
{
    return fork() == 0 ? execvp(argv[1], argv + 1) : argc < 0;
}
END
under "$scratch/fork.yaml" env "$scratch/static" "$victim" fork
reported 0 "behind a program without Cairn its children are left alone"
is "... which say nothing" "$(cat "$scratch/err")" ""
under "$scratch/fork.yaml" --children cairn run -c "$scratch/fork.yaml" sh -c "echo \${LD_PRELOAD:-none}; '$victim' fork; true"
has "a run in a run: the inner one's environment is clean" "$out" '^none$'
reported 0 "... and its children are left alone"
ok "a tree of 60 processes" under "$scratch/fork.yaml" --children sh -c 'i=0; while [ $i -lt 60 ]; do /bin/true || exit 1; i=$((i + 1)); done'
is "... ends as without Cairn" "$status $(cat "$scratch/err")" "0 "

done_testing
