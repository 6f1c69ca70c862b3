#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ends that no handler sees: SIGKILL, the OOM killer, a fault whose signal is blocked, _exit(). Each that the
# configuration names makes one report of kind death with what the program said of itself; no other end does.
. "$CAIRN_SRCDIR/tests/lib.sh"

victim=$CAIRN_BUILDDIR/tests/crash/death_victim
printf 'what the log said\n' >"$scratch/shop.log"

# configure DEATHS [FILTER]: "" leaves the default.
configure() {
    cat >"$scratch/cairn.yaml" <<END
version: 1
engine: { spool: $spool${1:+, deaths: $1} }
filters: { one: { plugin: ${2:-signal, signals: [HUP], mode: drop} } }
annotators: { crumbs: { plugin: breadcrumbs }, process: { plugin: process } }
writers: { dump: { plugin: minidump }, page: { plugin: text }, json: { plugin: json } }
pipelines: { default: { filters: [one], annotators: [crumbs, process], writers: [dump, page, json] } }
END
}

all_over() {
    no_process cairn-monitor cairn-engine
}
reports() {
    find "$spool" -name report.json | wc -l
}

# What the newest report says, a line per fact: "crash.signal SIGKILL".
read_report() {
    report=$(newest)/report.json
    : >"$scratch/facts"
    [ ! -e "$report" ] || python3 -c '
import json, sys
def show(path, value):
    if isinstance(value, (dict, list)):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            show(f"{path}.{key}" if path else str(key), item)
    else:
        print(path, value)
show("", json.load(open(sys.argv[1])))' "$report" >"$scratch/facts"
}
# fact NAME: its value, "-" when it is absent.
fact() {
    value=$(sed -n "s/^$1 //p" "$scratch/facts")
    echo "${value:--}"
}
attribute() {
    fact "attributes.$1"
}

# run KIND [COMMAND...]: the victim from start to end; COMMAND ends it once it is ready. $status, $pid.
run() {
    rm -rf "$spool" "$scratch/out"
    kind=$1
    shift
    $prefix "$victim" "$kind" "$scratch/cairn.yaml" "$scratch/shop.log" >"$scratch/out" 2>"$scratch/err" &
    pid=$!
    started="$started $pid"
    if [ $# -gt 0 ]; then
        wait_for 20 grep -q ready "$scratch/out"
        "$@" "$pid"
    fi
    finish_run
}
finish_run() {
    wait "$pid" 2>/dev/null
    status=$?
    started=
    wait_for 20 all_over
    read_report
}
# judge NAME STATUS SIGNAL CAUSE: the one report of the end that has just been.
judge() {
    is "$1: exit status" "$status" "$2"
    is "$1: one report" "$(reports)" 1
    is "$1: kind, signal and cause" "$(fact kind) $(fact crash.signal) $(attribute death.cause)" "death $3 $4"
}
none() {
    is "$1: exit status" "$status" "$2"
    is "$1: no report" "$(reports)" 0
}
prefix=

# ---- what the default reports

configure ''
run wait kill -9
judge "SIGKILL" 137 SIGKILL signal
folder=$(newest)
is "its reason" "$(fact crash.reason)" "killed by SIGKILL"
is "its annotation" "$(attribute shop.region)" eu-1
is "its breadcrumbs" "$(fact breadcrumbs.0.message) $(fact breadcrumbs.1.message)" "taken paid"
is "its process" "$(fact crash.pid)" "$pid"
is "no stack is invented" "$(fact frames.0.address)" -
has "it has a signature" "$(fact signature)" '^[0-9a-f]{32}$'
has "... and an age" "$(attribute process.age)" '^[0-9]+$'
has "a note says what is missing" "$(fact notes.0)" 'no registers, no stacks and no modules'
is "nothing is left in incoming" "$(ls -A "$spool/shop/incoming")" ""
has "the page for people" "$(cat "$folder"/page.txt)" '^shop died with SIGKILL$'
has "cairn list" "$(cairn list --spool "$spool")" ' death +SIGKILL '
has "cairn show" "$(cairn show --spool "$spool" "$(basename "$folder")")" '^Kind +death'
if have_readers; then
    has "stackwalk's reason" "$(stackwalk "$folder/dump.dmp")" '^Crash reason: *SIGKILL'
    has "minidump_dump reads it" "$(minidump_dump "$folder/dump.dmp")" 'stream_type *= 0x6 '
fi
first=$(fact signature)
again=$(cairn process -c "$scratch/cairn.yaml" "$folder/dump.dmp")
is "the minidump alone tells it all" \
    "$(cairn show --json --spool "$spool" "$again" | python3 -c '
import json, sys
r = json.load(sys.stdin)
print(r["kind"], r["crash"]["signal"], r["signature"], r["attributes"]["shop.region"])')" "death SIGKILL $first eu-1"
run wait kill -9
is "the same death has the same signature" "$(fact signature)" "$first"
run blocked
judge "a blocked fault" 139 SIGSEGV signal
run crash
is "a crash: one report, and it is no death" "$(reports) $(fact kind)" "1 crash"
run again kill -9
judge "a program that has started itself anew" 137 SIGKILL signal

# ---- what it does not

run exit
none "exit(0)" 0
run exit-3
none "exit(3)" 3
run _exit
none "_exit(3)" 3
run wait kill -TERM
none "SIGTERM" 143
run stop kill -9
none "after cairn_stop()" 137
run exec kill -9
none "another program by exec()" 137
prefix="cairn run -c $scratch/cairn.yaml --"
run wait kill -9
is "two handlers, preload and embedded: a report for each" "$(reports)" 2
prefix=
cat >"$scratch/sh.yaml" <<END
version: 1
engine: { spool: $spool }
writers: { dump: { plugin: minidump } }
pipelines: { default: { writers: [dump] } }
END
rm -rf "$spool"
mkfifo "$scratch/go"
cairn run -c "$scratch/sh.yaml" -- sh -c "read -r go; exec sleep 60" <"$scratch/go" >"$scratch/out" 2>&1 &
pid=$!
started=$pid
exec 3>"$scratch/go"
one_monitor() {
    monitor=$(processes cairn-monitor)
    [ -n "$monitor" ] && [ "$monitor" != "${first:-}" ] && ! echo "$monitor" | grep -q '[^0-9]'
}
wait_for 20 one_monitor
first=$monitor
echo go >&3
exec 3>&-
ok "what cairn run's program becomes by exec() gets a monitor of its own, and the first one leaves" wait_for 20 one_monitor
kill -9 "$pid"
wait "$pid" 2>/dev/null
wait_for 20 all_over
is "... so there is one report of its death" "$(reports)" 1

# ---- what the configuration says

configure '[]'
run wait kill -9
none "deaths: []" 137
configure '[exit, signalled]'
run _exit
judge "_exit(3)" 3 None exit
is "... with its status" "$(attribute death.exit_status) $(attribute death.exit_called)" "3 False"
run exit-3
judge "exit(3)" 3 None exit
is "... with its status" "$(attribute death.exit_status) $(attribute death.exit_called)" "3 True"
run exit
none "exit(0)" 0
run wait kill -TERM
judge "SIGTERM" 143 SIGTERM signal
run wait kill -9
none "SIGKILL, which is not named" 137
configure '' 'signal, signals: [KILL], mode: drop'
run wait kill -9
none "a filter drops it" 137
has "... and it is counted" "$(cat "$spool/shop/drops.json")" '"one": *1'

# ---- a kernel that tells less

configure ''
CAIRN_TEST_END=mark
export CAIRN_TEST_END
run wait kill -9
judge "no sign of the end" 137 None unknown
run exit-3
none "... but for exit()'s mark" 3
configure '[exit]'
run exit-3
judge "... which has the status" 3 None exit
CAIRN_TEST_END=stat
configure ''
# A parent that does not look leaves it to be looked at.
cat >"$scratch/parent.py" <<'END'
import os, signal, subprocess, sys
victim = subprocess.Popen(sys.argv[2:], stdout=subprocess.PIPE)
victim.stdout.readline()
victim.kill()
open(sys.argv[1]).read()
END
mkfifo "$scratch/go"
# run_uncollected KIND: killed, and collected only once there is a report.
run_uncollected() {
    rm -rf "$spool"
    python3 "$scratch/parent.py" "$scratch/go" "$victim" "$1" "$scratch/cairn.yaml" "$scratch/shop.log" &
    pid=$!
    started=$pid
    wait_for 20 committed 1
    echo >"$scratch/go"
    finish_run
}
run_uncollected wait
judge "a process that was not collected" 0 SIGKILL signal
unset CAIRN_TEST_END

# ---- attachments: with the rights that the program had at its end, if anybody knows them

run_uncollected wait
is "a file is attached" "$(cat "$(newest)"/attachment_shop.log)" "what the log said"
if [ "$(id -u)" -eq 0 ]; then
    chmod 600 "$scratch/shop.log"
    run_uncollected drop
    has "rights that were given up open no file" "$(grep ^notes "$scratch/facts")" 'shop.log cannot be opened: Permission denied'
    CAIRN_TEST_END=mark
    export CAIRN_TEST_END
    run wait kill -9
    has "nor do those of root, when nobody knows" "$(grep ^notes "$scratch/facts")" 'does not tell whose process it was'
    unset CAIRN_TEST_END
else
    skip "rights that were given up open no file" "only root can give them up"
fi

# ---- somebody who ends the monitor along with the program

stop_service() {
    kill -9 "$1"
    kill -TERM $(processes cairn-monitor) 2>/dev/null
}
run wait stop_service
judge "the monitor is told to end" 137 SIGKILL signal

# ---- the kernel's OOM killer

# lies_within NUMBER LEAST MOST
lies_within() {
    [ "$1" -ge "$2" ] && [ "$1" -le "$3" ]
}
# out_of_memory NAME GROUP PEAK: a program that takes more than the 64 MiB that the group has. PEAK: whether this
# kernel keeps the most that was used.
out_of_memory() {
    cat >"$scratch/in-group" <<END
#!/bin/sh
echo \$\$ >$2/cgroup.procs && exec "\$@"
END
    chmod +x "$scratch/in-group"
    prefix=$scratch/in-group
    run memory
    prefix=
    judge "$1" 137 SIGKILL oom-killer
    is "$1: its limit, and what was counted" \
        "$(attribute death.cgroup.memory.limit) $(attribute death.cgroup.oom_kills)" "67108864 1"
    is "$1: its reason" "$(fact crash.reason)" "killed by the kernel, which ran out of memory"
    ok "$1: what was used at the end" lies_within "$(attribute death.cgroup.memory.current)" 0 67108864
    if [ "$3" = yes ]; then
        ok "$1: the most that was used" lies_within "$(attribute death.cgroup.memory.peak)" 60000000 67108864
    fi
    wait_for 10 rmdir "$2"
}

group=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup 2>/dev/null)/cairn-deaths-$$
if mkdir "$group" 2>/dev/null && echo 67108864 >"$group/memory.limit_in_bytes"; then
    echo 67108864 >"$group/memory.memsw.limit_in_bytes" 2>/dev/null
    out_of_memory "out of memory" "$group" yes
else
    skip "out of memory" "no memory cgroup of version 1 can be made here"
fi

# The same by version 2, where it is what has the memory: below the root, which may have processes of its own.
top=$(sed -n 's/^[^ ]* \([^ ]*\) cgroup2 .*/\1/p' /proc/mounts | head -n 1)
group=$top/cairn-deaths-$$
if [ -n "$top" ] && grep -qw memory "$top/cgroup.controllers" && { echo +memory >"$top/cgroup.subtree_control"; } 2>/dev/null &&
    mkdir "$group" 2>/dev/null && { echo 67108864 >"$group/memory.max"; } 2>/dev/null; then
    echo 0 >"$group/memory.swap.max" 2>/dev/null
    has_peak=no
    [ ! -e "$group/memory.peak" ] || has_peak=yes
    out_of_memory "out of memory, version 2" "$group" "$has_peak"
else
    skip "out of memory, version 2" "no cgroup of version 2 that has the memory can be made here"
fi

# ---- a program that nobody here wrote

if command -v redis-server >/dev/null; then
    rm -rf "$spool"
    cairn run -c "$scratch/cairn.yaml" -- redis-server --port 0 --unixsocket "$scratch/redis.sock" --save '' \
        --dir "$scratch" >"$scratch/redis.log" 2>&1 &
    pid=$!
    started=$pid
    wait_for 20 redis-cli -s "$scratch/redis.sock" ping
    kill -9 "$pid"
    finish_run
    judge "redis-server under cairn run" 137 SIGKILL signal
else
    skip "redis-server under cairn run" "redis-server is not installed"
fi

done_testing
