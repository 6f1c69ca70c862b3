#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Crashes that no monitor captures: the monitor is dead, frozen or refused; ptrace is refused; no process
# can be made. Each: the true exit status in time, one report with the right tier and reason, the right
# signal, thread, module, and nothing left over. What this machine does not refuse by itself is simulated by
# a seccomp filter.
. "$CAIRN_SRCDIR/tests/lib.sh"

victim=$CAIRN_BUILDDIR/tests/crash/tier_victim
folder=$spool/tier_victim
mkfifo "$scratch/go"
# clocks CLAIM HOLD: a configuration in $config.
clocks() {
    config=$scratch/$1-$2.yaml
    cat >"$config" <<END
version: 1
engine: { spool: $spool, clocks: { claim: $1, hold: $2 } }
writers:
  dump: { plugin: minidump, memory: stacks }
pipelines:
  default: { writers: [dump] }
END
}
clocks 1s 3s

over() {
    no_process cairn-monitor tier_victim cairn-engine
}
recover() {
    "$CAIRN_LIBEXEC/cairn-engine" recover --application-folder "$folder" --config "$config"
}
reserves() {
    find "$folder/incoming" -name '*.reserve*' 2>/dev/null | wc -l
}

# judge NAME STATUS SIGNAL TIER REASON: the crash that has just been.
judge() {
    is "$1: exit status" "$status" "$2"
    ok "$1: dead in time" test "$took" -lt 15000
    ok "$1: no process is left" wait_for 10 over
    recover >"$scratch/recovered" 2>&1
    is "$1: one report" "$(find "$spool" -name report.json | wc -l)" 1
    report=$(newest)/report.json
    dump=$(newest)/dump.dmp
    python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
print(r["crash"]["signal"], r["tier"])
print(r["tier_reason"])
print(r["crash"]["thread"], r["attributes"].get("before"), "main" in [f.get("symbol") for f in r["frames"]])
' "$report" >"$scratch/facts"
    is "$1: signal and tier" "$(sed -n 1p "$scratch/facts")" "$3 $4"
    has "$1: the tier's reason" "$(sed -n 2p "$scratch/facts")" "$5"
    is "$1: nothing is left in incoming" "$(ls -A "$folder/incoming")" ""
    walked=
    if have_readers; then
        walked=$(stackwalk "$dump")
        has "$1: stackwalk's reason" "$walked" "^Crash reason: *$3"
    fi
}

# crash TIER-SETTING KIND MODE...: runs it by $prefix; $status, $took.
prefix=
crash() {
    wait_for 10 over
    rm -rf "$spool"
    setting=$1 kind=$2
    shift 2
    began=$(date +%s%N)
    CAIRN_TEST_TIER=$setting timeout 30 $prefix "$victim" "$kind" "$config" "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    took=$((($(date +%s%N) - began) / 1000000))
}

# in_module NAME MODULE: the crashed thread's innermost frame.
in_module() {
    if have_readers; then
        has "$1: module and offset" "$(printf '%s\n' "$walked" | grep -A1 '(crashed)')" "^ 0  $2 \\+ 0x"
    fi
}

# ---- every kind in every tier
for tier in 2 2-copy 3; do
    if [ "$tier" = 2 ]; then
        modes= how="2"
    elif [ "$tier" = 2-copy ]; then
        modes=no-ptrace how="2, ptrace refused (simulated)"
    else
        modes="no-ptrace no-clone" how="3, clone refused (simulated)"
    fi
    number=${tier%%-*}
    forced=2
    reason='^CAIRN_TEST_TIER asked for it\.'
    [ "$tier" = 3 ] && reason="$reason A copy of the process could not be made \\(error 11\\)\\.\$"
    for row in null:139:SIGSEGV abort:134:SIGABRT overflow:139:SIGSEGV; do
        kind=${row%%:*} rest=${row#*:}
        # $modes is unquoted on purpose: a list.
        crash $forced "$kind" $modes
        judge "tier $how, $kind" "${rest%:*}" "${rest#*:}" "$number" "$reason"
        if [ "$kind" = abort ]; then
            in_module "tier $how, $kind" 'libc\.so\.6'
        else
            in_module "tier $how, $kind" 'tier_victim'
        fi
        if [ "$kind" = null ]; then
            is "tier $how, $kind: annotation, a walk to main" "$(sed -n 3p "$scratch/facts")" \
                "tier_victim the crash True"
        fi
    done
    # Threads cannot be made where clone is refused: there the crash is forced into the handler; and without
    # a filter, under which it would open nothing.
    if [ "$tier" = 3 ]; then
        modes= forced=3 reason='^CAIRN_TEST_TIER asked for it\.$'
    fi
    for kind in thread threads; do
        crash $forced $kind $modes
        judge "tier $how, $kind" 139 SIGSEGV "$number" "$reason"
        in_module "tier $how, $kind" 'tier_victim'
        is "tier $how, $kind: thread" "$(sed -n '3s/ .*//p' "$scratch/facts")" the-crashed-one
    done
    if have_readers; then
        is "tier $how, threads: all are listed" "$(printf '%s\n' "$walked" | grep -c '^Thread [0-9]')" 101
    fi
done

# ---- sandboxes and exhaustion, with a monitor that is not asked
for mode in no-open no-readv kill-ptrace kill-readv chroot fds memory; do
    crash 2 null $mode
    judge "$mode" 139 SIGSEGV 2 '^CAIRN_TEST_TIER'
    in_module "$mode" tier_victim # without /proc, too: the dynamic linker knows
done

# ---- the monitor cannot
crash "" null traced
judge "already traced" 139 SIGSEGV 2 '^The monitor was not permitted to trace the process\.$'
in_module "already traced" tier_victim
crash "" post traced
has "already traced: the post-dump callback learns of the report" "$(cat "$scratch/out")" \
    '^post-dump: success 1 id "[0-9a-f-]{36}" path ".*/incoming/.*\.reserve"'

if [ "$(id -u)" -eq 0 ]; then
    prefix="setpriv --bounding-set=-sys_ptrace"
    crash "" null
    judge "without CAP_SYS_PTRACE" 139 SIGSEGV 1 '^$'
    crash "" null nobody
    judge "without CAP_SYS_PTRACE, dropped user" 139 SIGSEGV 2 '^The monitor was not permitted to trace the process\.$'
    in_module "without CAP_SYS_PTRACE, dropped user" tier_victim
    prefix=
else
    skip "without CAP_SYS_PTRACE" "only root has it"
fi

# begin KIND MODE...: starts the victim and leaves it waiting; $pid, $monitor.
begin() {
    wait_for 10 over
    rm -rf "$spool"
    kind=$1
    shift
    "$victim" "$kind" "$config" "$@" "wait=$scratch/go" >"$scratch/out" 2>"$scratch/err" &
    pid=$!
    wait_for 5 sh -c "find '$folder/incoming' -name '*.reserve' | grep -q ."
    monitor=$(processes cairn-monitor)
    is "$kind: one reserve, one monitor" "$(reserves) $(echo "$monitor" | wc -w)" "1 1"
}
# go: lets it crash; $status, $took.
go() {
    began=$(date +%s%N)
    timeout 20 sh -c "echo >'$scratch/go'" # one that has not started reads nothing
    wait "$pid" 2>/dev/null
    status=$?
    took=$((($(date +%s%N) - began) / 1000000))
}
# With all its threads: the first may be a zombie, and another one still hold a lock.
gone() {
    ! kill -0 "$1" 2>/dev/null ||
        { grep -q '^State:.*Z' "/proc/$1/status" && [ "$(ls "/proc/$1/task" | wc -l)" -le 1 ]; }
}

clocks 30s 30s # which are not to be waited for
begin null
kill -KILL "$monitor"
wait_for 5 gone "$monitor"
recover
is "an unused reserve is not taken from a living program" "$(reserves)" 1
go
judge "monitor killed" 139 SIGSEGV 2 '^The monitor had ended\.$'
in_module "monitor killed" tier_victim

clocks 1s 30s # not to be taken for the other
begin null
kill -STOP "$monitor"
go
is "monitor frozen: its reserve holds a minidump" "$(head -c 4 "$folder"/incoming/*.reserve)" MDMP
recover >/dev/null 2>&1
kill -CONT "$monitor"
judge "monitor frozen" 139 SIGSEGV 2 '^The monitor did not take the crash in time\.$'
ok "monitor frozen: by the claim clock" test "$took" -ge 950
clocks 1s 3s

begin null
kill -STOP "$monitor"
go
kill -CONT "$monitor"
ok "monitor thawed: it has the report made" wait_for 10 committed 1
judge "monitor thawed" 139 SIGSEGV 2 '^The monitor did not take the crash in time\.$'

begin null
kill -KILL "$monitor" "$pid"
wait "$pid" 2>/dev/null
wait_for 5 gone "$monitor"
recover
is "an unused reserve of a dead program is removed" "$(reserves)" 0

begin null
kill -TERM "$pid"
wait "$pid" 2>/dev/null
ok "a program's end removes its reserve" wait_for 5 sh -c "! ls '$folder'/incoming/*.reserve"

# ---- frozen or killed at some moment of the capture: its threads are let go, and there is one report
# strike SIGNAL MILLISECONDS: after the program was let crash.
strike() {
    python3 - "$scratch/go" "$monitor" "$1" "$2" <<'END'
import os, signal, sys, time
signal.alarm(20)  # one that has not started reads nothing
os.write(os.open(sys.argv[1], os.O_WRONLY), b"x")
time.sleep(int(sys.argv[4]) / 1000)
try:
    os.kill(int(sys.argv[2]), getattr(signal, "SIG" + sys.argv[3]))
except ProcessLookupError:
    pass
END
}
for row in STOP:2:held STOP:5:held STOP:8:held STOP:9: KILL:3:held KILL:6:held KILL:9:held KILL:8: KILL:11: KILL:14:; do
    moment=${row%:*}
    # The mode is unquoted on purpose: it may be nothing.
    begin threads ${row##*:}
    began=$(date +%s%N)
    strike "${moment%:*}" "${moment#*:}"
    wait "$pid" 2>/dev/null
    status=$?
    took=$((($(date +%s%N) - began) / 1000000))
    kill -CONT "$monitor" 2>/dev/null
    is "$moment ms: exit status" "$status" 139
    ok "$moment ms: dead in time" test "$took" -lt 15000
    ok "$moment ms: no process is left" wait_for 10 over
    recover >/dev/null 2>&1
    is "$moment ms: one report, nothing besides" \
        "$(find "$spool" -name report.json | wc -l) $(ls -A "$folder/incoming" "$folder/quarantine" | grep -c reserve)" "1 0"
    echo "# $moment ms: $took ms, tier $(field "$(newest)/report.json" tier)"
done

# ---- the next start of the program finds it
begin null
kill -KILL "$monitor"
go
rm -f "$scratch/out"
CAIRN_TEST_TIER= "$victim" dump "$config" >"$scratch/out" 2>&1
ok "the next start makes the report" wait_for 10 committed 2
ok "... and no process is left" wait_for 10 over

plain=$config
config=$scratch/delivers.yaml
sed -e "s|^pipelines:|annotators: { build: { plugin: static, values: { team: payments } } }\\n\
transports: { disk: { plugin: directory, path: $scratch/copies } }\\n&|" \
    -e 's/writers: \[dump\]/annotators: [build], &, transports: [disk]/' "$plain" >"$config"
begin null
kill -KILL "$monitor"
go
cairn send -c "$config" >"$scratch/out" 2>&1
is "cairn send makes the report" "$(find "$folder/delivered" -name report.json | wc -l)" 1
is "... annotates it" "$(field "$(newest)/report.json" tier) $(field "$(newest)/report.json" attributes.team)" "2 payments"
is "... and delivers it" "$(field "$(newest)/report.json" deliveries.0.state) $(find "$scratch/copies" -name dump.dmp | wc -l)" \
    "delivered 1"
config=$plain

# ---- a dead monitor is replaced by the next call
begin revived
kill -KILL "$monitor"
wait_for 5 gone "$monitor"
go
has "monitor replaced: cairn_dump() has a report made" "$(cat "$scratch/out")" '^dump 0 [0-9a-f-]{36}$'
has "... no call fails meanwhile" "$(cat "$scratch/out")" '^lost 0$'
ok "... no process is left" wait_for 10 over
is "... the dump and the crash are reported, by the monitor" \
    "$(for file in "$folder"/delivered/*/report.json; do echo "$(field "$file" kind) $(field "$file" tier)"; done |
        sort | tr '\n' ' ')" "crash 1 request 1 "
report=$(newest)/report.json
has "... with what was said before" "$(field "$report" attributes.before)" 'the crash'
recover
is "... and no reserve is left" "$(reserves)" 0

# ---- hostile reserves
id=0190163d-8694-739b-aea5-966c26f8ad9
rm -rf "$spool"
"$victim" dump "$config" >/dev/null 2>&1
wait_for 10 over
mkdir -p "$folder/incoming"
head -c 528384 /dev/zero >"$folder/incoming/${id}0.reserve"
head -c 100 /dev/urandom >"$folder/incoming/${id}1.reserve"
ln -s /etc/passwd "$folder/incoming/${id}2.reserve"
mkfifo "$folder/incoming/${id}3.reserve"
python3 - "$folder/incoming/${id}4.reserve" "$folder/incoming/${id}5.reserve" <<'END'
import struct, sys
def reserve(path, state, size, start):
    body = bytearray(start + b"\0" * (512 * 1024 - len(start)))
    about = struct.pack("<QIIQQQiI40s", 0x45565253455243, 1, state, size, 0, 0, 1, 0, b"x" * 40)
    open(path, "wb").write(bytes(body) + about + b"\0" * (4096 - len(about)))
reserve(sys.argv[1], 2, 1 << 40, b"MDMP")
reserve(sys.argv[2], 2, 400000, b"MDMP\x93\xa7\0\0\xff\xff\xff\xff\xff\xff\xff\xff")
END
ok "hostile reserves do not stop the recovery" recover
is "... none becomes a report" "$(find "$spool" -path "*${id}*" -name report.json | wc -l)" 0
is "... what was written by somebody is set aside" \
    "$(ls "$folder/quarantine" | tr '\n' ' ')" "${id}0 ${id}1 ${id}4 ${id}5 "
is "... links and pipes stay where they are" "$(reserves)" 2

# ---- what a monitor has kept in a reserve, and what only looks so
rm -rf "$spool"
"$victim" dump "$config" >/dev/null 2>&1
wait_for 10 over
kept=0190163d-8694-739b-aea5-966c26f8aea
python3 - "$folder/incoming/$id" "$kept" "$(newest)/dump.dmp" <<'END'
import os, struct, sys
path, kept, dump = sys.argv[1], sys.argv[2], open(sys.argv[3], "rb").read()
def reserve(number, state, other, kept_bytes, content):
    about = bytearray(4096)
    struct.pack_into("<QIIQQQiI40s40s", about, 0, 0x45565253455243, 1, state, 0, 1, os.stat("/proc/self/ns/pid").st_ino,
                     os.getpid(), 0, b"x" * 36, other.encode())
    struct.pack_into("<Q", about, 3208, kept_bytes)
    open(f"{path}{number}.reserve", "wb").write(bytes(512 * 1024) + about + content)
reserve(0, 3, kept + "0", len(dump), dump)           # closed for it
reserve(1, 1, kept + "1", len(dump), dump)           # the program had begun one of its own
reserve(2, 3, kept + "2", len(dump) + 1, dump)       # torn
reserve(3, 3, kept + "3", 1 << 40, dump)
reserve(4, 3, kept + "4", len(dump), bytes(len(dump)))
reserve(5, 3, "../../../../tmp/" + kept, len(dump), dump)
END
ok "a kept minidump does not stop the recovery" recover
is "... it becomes a report of the id that was told, once" \
    "$(find "$spool" -path "*$kept*" -name report.json | sed "s,.*\($kept.\)/.*,\1," | sort | tr '\n' ' ')" "${kept}0 ${kept}1 "
is "... as long as it is" "$(stat -c %s "$(find "$spool" -path "*${kept}0/dump.dmp")")" \
    "$(stat -c %s "$(find "$spool" -path "*${kept}1/dump.dmp")")"
is "... and what is none is gone" "$(reserves) $(find "$folder/incoming" -mindepth 1 | wc -l)" "0 0"

done_testing
