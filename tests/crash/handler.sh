#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The crash handler in a program that embeds Cairn, against a stand-in for the monitor that can be deaf,
# stuck or dead: whatever happens, the process ends with its true signal, in time, and is reported
# at most once.
. "$CAIRN_SRCDIR/tests/lib.sh"

CAIRN_LIBEXEC=$CAIRN_BUILDDIR/tests/crash/fake
FAKE_LOG=$scratch/log
export CAIRN_LIBEXEC FAKE_LOG
victim=$CAIRN_BUILDDIR/tests/crash/victim

# dismissed: every stand-in that was started has written its last line.
dismissed() {
    ends=$(grep -c 'slot state' "$FAKE_LOG")
    [ "$ends" -gt 0 ] && [ "$ends" -eq "$(grep -c '^surroundings' "$FAKE_LOG")" ]
}

# crash MODE KIND: runs the victim; $status, $out, $log (what the monitor saw), $took (milliseconds).
crash() {
    rm -f "$FAKE_LOG"
    began=$(date +%s%N)
    FAKE_MODE=$1 timeout 30 "$victim" "$2" >"$scratch/out" 2>"$scratch/err"
    status=$?
    took=$((($(date +%s%N) - began) / 1000000))
    wait_for 10 dismissed
    out=$(cat "$scratch/out")
    log=$(cat "$FAKE_LOG" 2>/dev/null)
}

# captured KIND STATUS SIGNAL CODE THREAD: crashed, and was reported once.
captured() {
    crash capture "$1"
    is "$1: exit status" "$status" "$2"
    is "$1: reported once" "$(printf '%s\n' "$log" | grep -c '^crash:')" 1
    has "$1: signal, code and thread" "$log" "^crash: signal $3 code $4 thread $5 context yes"
    has "$1: released" "$log" '^released'
}

captured null 139 11 1 main
captured abort 134 6 -6 main
captured fpe 136 8 1 main
captured ill 132 4 2 main
captured bus 135 7 2 main
captured trap 133 5 128 main
is "trap: never returns behind int3" "$out" ""
captured sys 159 31 1 main
is "sys: never returns behind the call" "$out" ""
captured sent 139 11 0 main
is "sent: never returns behind it" "$out" ""
captured overflow 139 11 1 main
captured overflow-thread 139 11 2 other
captured thread 139 11 1 other
captured no-wait 139 11 1 main
captured filter-yes 139 11 1 main
is "filter-yes: what the filter got" "$out" "filter: yes"

# ---- crashes that would not come again by themselves
victim=$CAIRN_BUILDDIR/tests/crash/ending_victim
captured no-frame 139 11 128 main
captured remapped 139 11 2 main
victim=$CAIRN_BUILDDIR/tests/crash/victim

crash capture many
is "many: exactly one report" "$(printf '%s\n' "$log" | grep -c '^crash:')" 1
reported=$(printf '%s\n' "$log" | sed -n 's/^crash: signal \([0-9]*\) .*/\1/p')
is "many: the process dies of the reported signal" "$status" "$((128 + ${reported:-0}))"
has "many: the other threads are named" "$log" '^parked: [0-3]$'

# ---- the program's earlier handlers
captured handler-chain 139 11 1 main
is "handler-chain: called once, with its siginfo" "$out" "earlier handler: signal 11 code 1 address 0x10"
captured handler-plain 139 11 1 main
is "handler-plain: called once" "$out" "plain handler"
captured handler-raise 139 11 1 main
is "handler-raise: called once" "$out" "earlier handler: signal 11 code 1 address 0x10"
# recovers KIND STATUS CRASHES: what is captured before the handler is asked is given up when it recovers.
recovers() {
    crash capture "$1"
    is "$1: exit status" "$status" "$2"
    is "$1: captured" "$(printf '%s\n' "$log" | grep -c '^crash:')" "$3"
    is "$1: given up once" "$(printf '%s\n' "$log" | grep -c '^recovered')" 1
}
recovers handler-trap 0 1
has "handler-trap: the program went on" "$out" '^went on after int3'
recovers handler-sent 0 1
has "handler-sent: the program went on" "$out" '^went on after the signal'
recovers handler-jump 134 2
has "handler-jump: the program went on" "$out" '^went on after the jump'
has "handler-jump: the second one is a crash" "$log" '^crash: signal 6 code -6 thread main'
recovers handler-mend 0 1
has "handler-mend: the program went on" "$out" '^went on with mended memory'
is "handler-mend: ... 20 times, of which only the first was captured" "$(printf '%s\n' "$out" | grep -c '^earlier handler')" 20
captured ignored-fault 139 11 1 main
crash capture ignored
is "ignored: a sent signal stays ignored" "$status $out" "0 went on after the signal"
is "ignored: no report" "$(printf '%s\n' "$log" | grep -c '^crash:')" 0

# ---- callbacks
crash capture filter-no
is "filter-no: exit status" "$status" 139
has "filter-no: no dump" "$log" 'slot state 5$'
crash capture filter-no-chain
is "filter-no-chain: exit status" "$status" 139
has "filter-no-chain: the earlier handler is asked" "$out" '^earlier handler: signal 11 code 1 address 0x10$'
captured filter-fault 139 11 1 main
captured filter-hang 139 11 1 main
ok "filter-hang: cut short after a second" test "$took" -ge 950 -a "$took" -lt 15000
captured post-dump 139 11 1 main
has "post-dump: id and path" "$out" '^post-dump: success 1 id "[0-9a-f-]{36}" path "/fake/.*\.dmp"'
has "post-dump: not handled: the earlier handler follows" "$out" '^earlier handler: signal 11 code 1 address 0x10$'
captured post-dump-handled 139 11 1 main
is "post-dump-handled: nobody else is asked" "$(printf '%s\n' "$out" | grep -c '^earlier handler')" 0
captured post-dump-fault 139 11 1 main
has "post-dump-fault: lost its say" "$out" '^earlier handler'

# ---- several handlers
crash capture two
is "two: exit status" "$status" 139
is "two: the interested ones report, the newest first" "$(printf '%s\n' "$log" | grep -c '^released')" 2
has "two: one of three said no" "$out" '^filter: no'
crash capture two-handled
is "two-handled: exit status" "$status" 139
is "two-handled: the older one is not asked" "$(printf '%s\n' "$log" | grep -c '^crash:')" 1
captured restarted 139 11 1 main
is "restarted: no failure" "$out" ""
captured stressed 139 11 1 main
is "stressed: no failure" "$out" ""
crash capture fill
is "fill: the ninth is refused" "$out" "8 handlers are started already, which is the most."

# ---- a monitor that is deaf, stuck, slow or dead; its plan says 300 ms and 1 s, of the deaf one 20 s
for kind in null trap abort; do
    wanted=139
    [ "$kind" = trap ] && wanted=133
    [ "$kind" = abort ] && wanted=134
    crash deaf "$kind"
    is "deaf, $kind: exit status" "$status" "$wanted"
    has "deaf, $kind: abandoned" "$log" 'slot state 6$'
    ok "deaf, $kind: by the claim clock" test "$took" -ge 250 -a "$took" -lt 15000
    crash stuck "$kind"
    is "stuck, $kind: exit status" "$status" "$wanted"
    has "stuck, $kind: abandoned" "$log" 'slot state 6$'
    ok "stuck, $kind: by the hold clock" test "$took" -ge 950 -a "$took" -lt 15000
done
crash stuck post-dump
has "stuck: the post-dump callback learns it" "$out" '^post-dump: success 0 id "" path ""'
crash slow null
is "slow: exit status" "$status" 139
has "slow: waited for" "$log" 'slot state 4$'
rm -f "$FAKE_LOG"
is "dead: cairn_start() says so" "$(FAKE_MODE=die "$victim" null 2>&1; echo $?)" \
    "the monitor could not be started or has died: The monitor ended before it had checked the configuration.
2"
is "absent: cairn_start() says so" "$(CAIRN_LIBEXEC=/nonexistent "$victim" null 2>&1; echo $?)" \
    "the monitor could not be started or has died: The monitor cannot be started: No such file or directory (/nonexistent/cairn-monitor).
2"
captured no-wait-absent 139 11 1 main
is "absent: a start that does not wait leaves nothing, and says so; the next one works" "$out" \
    "nothing is left
The monitor cannot be started: No such file or directory (/nonexistent/cairn-monitor)."
is "a bad configuration: its problems come back" "$(FAKE_MODE=fail "$victim" null 2>&1; echo $?)" \
    "the configuration has problems: cairn.yaml:1:1: nothing is right here.
2"

# ---- what is left alone
LD_LIBRARY_PATH=${LD_LIBRARY_PATH:-}:/nowhere
export LD_LIBRARY_PATH
crash capture none
unset LD_LIBRARY_PATH
is "none: exit status" "$status" 0
has "the monitor's surroundings are clean" "$log" \
    '^surroundings: descriptors 7 mask full sigchld default session own folder /[^ ]* umask 077$'
is "the monitor's environment has no LD_" "$(printf '%s\n' "$log" | grep -c '^environment')" 0
crash capture describe-strictly
is "annotations and breadcrumbs take no system call" "$status $out" "0 described"
crash capture wait
is "the program has no new child" "$out" "no child"
crash capture descriptors
is "the program has no new descriptor" "$out" "no new descriptor"
crash capture no-wait-wait
is "no-wait: the program has no new child" "$out" "no child"
crash capture no-wait-descriptors
is "no-wait: the program has no new descriptor" "$out" "no new descriptor"
crash capture stop
is "stop restores the handlers" "$out" "stopped"
has "stop ends the monitor" "$log" '^dismissed'
crash capture fork
is "a fork child is left alone" "$out" "child: not started
child: SIGSEGV"
is "... and not reported" "$(printf '%s\n' "$log" | grep -c '^crash:')" 0
crash capture fork-start
is "a fork child that starts Cairn itself is reported" "$(printf '%s\n' "$log" | grep -c '^crash:')" 1
is "... and its parent goes on" "$out" "child: SIGSEGV
parent: started"
crash capture dump
is "dump: the program goes on" "$status" 0
has "dump: with the report's id" "$out" '^dump: no error id "[0-9a-f-]{36}"'
has "dump: with its message" "$log" '^request: signal 0 .* context yes message "asked for"'
crash capture dump-elsewhere
has "dump: from another thread" "$log" '^request: signal 0 .* thread other context yes message "asked for"'
crash deaf dump
has "dump: a deaf monitor is a deadline" "$out" '^dump: a deadline passed'

if unshare --fork --pid --mount-proc true 2>/dev/null; then
    for kind in null:139 abort:134 trap:133; do
        rm -f "$FAKE_LOG"
        unshare --fork --pid --mount-proc sh -c "exec '$victim' ${kind%:*}" >/dev/null 2>&1
        is "PID 1, ${kind%:*}: exit status" "$?" "${kind#*:}"
        has "PID 1, ${kind%:*}: reported" "$(cat "$FAKE_LOG")" '^crash:'
    done
else
    skip "PID 1" "no PID namespace can be made here"
fi

done_testing
