#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Programs with handlers of their own, under `cairn run` and embedded: what the handler recovers from leaves no report
# and costs little; what the program dies of is reported once, with the fault that the handler was called for.
. "$CAIRN_SRCDIR/tests/lib.sh"

cat >"$scratch/cairn.yaml" <<END
version: 1
engine: { spool: $spool }
writers: { dump: { plugin: minidump } }
pipelines: { default: { writers: [dump] } }
END
OWN_CONFIG=$scratch/cairn.yaml
export OWN_CONFIG
source=$CAIRN_SRCDIR/tests/crash/own_handlers.c
build="${CC:-cc} -g -O1 -std=gnu11 -D_GNU_SOURCE -Wall -Wno-array-bounds -pthread"
# shellcheck disable=SC2086 # words on purpose
ok "the program compiles" $build -o "$scratch/plain" "$source"
# shellcheck disable=SC2086 # words on purpose
ok "... and with Cairn in it" $build -DEMBED -I"$CAIRN_STAGE/include" -o "$scratch/embedded" "$source" \
    -L"$CAIRN_STAGE/lib" -Wl,-rpath,"$CAIRN_STAGE/lib" -lcairn

# shellcheck disable=SC2086 # words on purpose
ok "a program with a library that chains" $build -I"$CAIRN_STAGE/include" -o "$scratch/chained" \
    "$CAIRN_SRCDIR/tests/crash/chained.c" -L"$CAIRN_STAGE/lib" -Wl,-rpath,"$CAIRN_STAGE/lib" -lcairn

# own MODE ARGUMENTS...: $status, $out. `prefix` is what starts an embedded one.
prefix=
own() {
    mode=$1
    shift
    if [ "$mode" = preload ]; then
        timeout 60 cairn run -c "$OWN_CONFIG" -- "$scratch/plain" "$@" >"$scratch/out" 2>"$scratch/err"
    else
        timeout 60 $prefix "$scratch/embedded" "$@" >"$scratch/out" 2>"$scratch/err"
    fi
    status=$?
    out=$(cat "$scratch/out")
    what="$mode: $*"
}

# No engine is at work any more, but for that of the hanging program, and nothing lies half-done: what is going to be
# reported has been.
monitors=1
at_rest() {
    [ "$(processes cairn-monitor cairn-engine | wc -l)" -le "$monitors" ] &&
        [ -z "$(find "$spool" -path '*/incoming/*' -print -quit 2>/dev/null)" ]
}
reports() {
    find "$spool" -name report.json 2>/dev/null | wc -l
}

# crashes WANTED-STATUS MODE ARGUMENTS...: one report, of crash_here.
count=0
crashes() {
    wanted=$1
    shift
    own "$@"
    count=$((count + 1))
    is "$what: exit status" "$status" "$wanted"
    ok "$what: nothing is left over" wait_for 20 at_rest
    is "$what: one report" "$(reports)" "$count"
    report=$(newest)/report.json
    is "$what: of the fault that the handler was called for" \
        "$(field "$report" crash.signal) $(field "$report" crash.address) $(field "$report" frames.0.symbol)" \
        "${site:-SIGSEGV 0x10 crash_here}"
}

# recovers MODE ARGUMENTS...: no report.
recovers() {
    own "$@"
    is "$what: it goes on" "$status $out" "0 end"
    ok "$what: nothing is left over" wait_for 20 at_rest
    is "$what: no report" "$(reports)" "$count"
}

# A handler that hangs has ended the program: its report is made after ten seconds, while it still hangs. Meanwhile
# others crash.
sed "s,$spool,$scratch/hung," "$OWN_CONFIG" >"$scratch/hung.yaml"
cairn run -c "$scratch/hung.yaml" -- "$scratch/plain" hang >"$scratch/hung.out" 2>&1 &
hanging=$!
started="$started $hanging"
hung() {
    [ "$(find "$scratch/hung" -name report.json 2>/dev/null | wc -l)" -eq "$1" ]
}
ok "a handler that hangs: it is captured" wait_for 20 sh -c "ls '$scratch'/hung/*/incoming/*/capture.dmp"
ok "... and not yet reported" hung 0

for mode in preload embedded; do
    all=$([ "$mode" = preload ] && echo yes)
    # Its first crash: captured before the handler is asked.
    for how in raise:139 return:139 _exit:3 ${all:+reset:139 abort:134 exit:3 fault:139}; do
        crashes "${how#*:}" $mode "${how%:*}"
        is "$what: the handler was called once" "$out" handler
    done
    # Its handler has proved itself, and is asked first.
    for mended in mend jump ${all:+move sent}; do
        crashes 139 $mode raise $mended 3
    done
    for how in reset:139 abort:134 ${all:+return:139 exit:3}; do
        crashes "${how#*:}" $mode "${how%:*}" mend 3
    done
    for mended in mend jump move ${all:+sent trap threads}; do
        recovers $mode none $mended 200
    done
    recovers $mode none jump 1
    recovers $mode none raise 2
    own $mode abort-returned
    count=$((count + 1))
    is "$what: exit status" "$status" 134
    ok "$what: nothing is left over" wait_for 20 at_rest
    is "$what: one report" "$(reports)" "$count"
    is "$what: ... of the abort" "$(field "$(newest)/report.json" crash.signal)" SIGABRT
done
own preload exec
count=$((count + 1))
is "$what: the new program ends" "$status" 0
ok "$what: nothing is left over" wait_for 20 at_rest
is "$what: the handler started the program anew, one report" "$(reports)" "$count"
# ... before its monitor looked again.
frozen=$scratch/frozen
rm -f "$frozen"
CAIRN_TEST_FAULT=monitor.answered:stop:$frozen timeout 60 cairn run -c "$OWN_CONFIG" -- "$scratch/plain" become &
run=$!
becomes() {
    [ -s "$frozen" ] && [ -n "$(processes sleep)" ]
}
ok "preload: become: it is another program, and its monitor is frozen" wait_for 20 becomes
kill -CONT "$(cat "$frozen")"
wait "$run"
is "preload: become: exit status of the new program" "$?" 0
count=$((count + 1))
ok "preload: become: nothing is left over" wait_for 20 at_rest
is "preload: become: one report" "$(reports)" "$count"
# Where what the program calls goes through the preload library:
crashes 3 preload _exit mend 3
crashes 139 preload fault mend 3
# Faults that are mended cost some microseconds, and leave no process, no folder, no report.
recovers preload none mend 10000

# A handler that makes the thread call something, as Go's and Mono's do, has not decided when it returns.
for mode in preload embedded; do
    for how in call-exit:3 call-abort:134 call-leave:3; do
        crashes "${how#*:}" $mode "${how%:*}"
        is "$what: the handler was called once" "$out" handler
        is "$what: how it ended" "$(sed -n 's/^ *"crash.end": *"\(.*\)",*$/\1/p' "$report")" \
            "$([ "${how%:*}" = call-exit ] && echo 'exit status 3, without exit()')"
        crashes "${how#*:}" $mode "${how%:*}" call 200
    done
    recovers $mode none call 2000
    recovers $mode none sites 200
done
# Its memory is gone a good while before its end is seen: that is no call that is over.
OWN_MEMORY=256
export OWN_MEMORY
for mode in preload embedded; do
    crashes 3 $mode call-exit
    is "$what: how it ended" "$(sed -n 's/^ *"crash.end": *"\(.*\)",*$/\1/p' "$report")" "exit status 3, without exit()"
    crashes 134 $mode call-abort
done
unset OWN_MEMORY
# Of one that does so in many places any other place is captured first; only then a bare exit is seen as what it is.
crashes 3 preload call-exit sites 100
# One that does so everywhere is asked first everywhere: without a capture of each, only what it raises is seen.
crashes 134 preload call-abort sites 300
crashes 3 preload call-leave sites 300
own preload call-exit sites 300
is "$what: it ends as it does" "$status" 3
ok "$what: nothing is left over" wait_for 20 at_rest
is "$what: not seen" "$(reports)" "$count"
# What it has recovered from, and then from others, is nothing that a program dies of a moment later.
own preload bare call 200
is "$what: it ends as it does" "$status" 3
ok "$what: nothing is left over" wait_for 20 at_rest
is "$what: no report" "$(reports)" "$count"

# Handlers that call back ours, in many threads at the same time: each is asked once for each fault.
for threads in 1 2 16; do
    timeout 60 "$scratch/chained" $threads >"$scratch/out" 2>"$scratch/err"
    is "chained, $threads threads: exit status" "$?" 0
    is "chained, $threads threads: each handler is called once per fault" "$(cat "$scratch/out")" \
        "library $((threads + 1)) program $((threads + 1))"
    ok "chained, $threads threads: nothing is left over" wait_for 20 at_rest
    is "chained, $threads threads: no report" "$(reports)" "$count"
done

# In a child of fork() the handler is asked first from the start.
for mode in preload embedded; do
    crashes 139 $mode raise none 0 fork
    crashes 134 $mode abort mend 3 fork
    recovers $mode none mend 20 fork
    recovers $mode none jump 20 fork
done

# Without a monitor that captures, the reserve is used, given up, and used again.
for CAIRN_TEST_TIER in 2 3; do
    export CAIRN_TEST_TIER
    crashes 139 embedded raise
    crashes 139 preload raise mend 3
    is "$what: tier" "$(field "$report" tier)" "$CAIRN_TEST_TIER"
    recovers embedded none mend 20
    # What the handler makes the thread call decides, here too.
    for how in call-exit:3 call-abort:134 call-leave:3; do
        crashes "${how#*:}" embedded "${how%:*}"
        is "$what: tier" "$(field "$report" tier)" "$CAIRN_TEST_TIER"
        crashes "${how#*:}" embedded "${how%:*}" call 3
    done
    recovers embedded none sites 20
    own embedded bare call 3
    is "$what: it ends as it does" "$status" 3
    ok "$what: nothing is left over" wait_for 20 at_rest
    is "$what: no report" "$(reports)" "$count"
done
unset CAIRN_TEST_TIER
# The monitor may neither capture the program nor look at its stack.
if [ "$(id -u)" -eq 0 ]; then
    prefix="setpriv --bounding-set=-sys_ptrace env OWN_USER=65534"
    for how in call-exit:3 call-abort:134 call-leave:3 raise:139; do
        crashes "${how#*:}" embedded "${how%:*}"
        is "$what: tier" "$(field "$report" tier)" 2
    done
    recovers embedded none sites 3
    prefix=
else
    skip "without CAP_SYS_PTRACE" "only root has it"
fi
# The monitor dies when it wakes up; the next Cairn process finds what there is.
for how in call-exit:3 call-abort:134 call-leave:3 raise:139; do
    rm -f "$scratch/dead"
    CAIRN_TEST_FAULT=monitor.woken:kill:$scratch/dead
    export CAIRN_TEST_FAULT
    own embedded "${how%:*}"
    unset CAIRN_TEST_FAULT
    is "a dead monitor, ${how%:*}: exit status" "$status" "${how#*:}"
    ok "a dead monitor, ${how%:*}: it is" test -s "$scratch/dead"
    "$CAIRN_LIBEXEC/cairn-engine" recover --application-folder "$spool/embedded" >"$scratch/out" 2>&1
    count=$((count + 1))
    is "a dead monitor, ${how%:*}: one report" "$(reports)" "$count"
    is "a dead monitor, ${how%:*}: of the fault" "$(field "$(newest)/report.json" frames.0.symbol)" crash_here
done

# PID 1 takes its monitor along: it waits until its report is made.
sed "s,$spool,$scratch/first," "$OWN_CONFIG" >"$scratch/first.yaml"
if unshare --fork --pid --mount-proc true 2>/dev/null; then
    for how in raise:139 _exit:3; do
        unshare --fork --pid --mount-proc cairn run -c "$scratch/first.yaml" -- "$scratch/plain" "${how%:*}" mend 3 \
            >"$scratch/out" 2>&1
        is "PID 1, ${how%:*}: exit status" "$?" "${how#*:}"
        is "PID 1, ${how%:*}: one report" "$(find "$scratch/first" -path '*/delivered/*/report.json' | wc -l)" 1
        rm -rf "$scratch/first"
    done
else
    skip "PID 1" "no PID namespace can be made here"
fi

ok "a handler that hangs: its report is made" wait_for 20 hung 1
ok "... while it still hangs" kill -0 "$hanging"
report=$(find "$scratch/hung" -name report.json)
is "... of the fault" "$(field "$report" crash.signal) $(field "$report" frames.0.symbol)" "SIGSEGV crash_here"
kill -KILL "$hanging"
wait "$hanging" 2>/dev/null
monitors=0
ok "... and is the only one when it has ended" wait_for 20 at_rest
ok "... all the same" hung 1

done_testing
