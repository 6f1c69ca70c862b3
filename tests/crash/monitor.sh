#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The monitor between a program that links libcairn and an engine that is a script: what the program
# notices of it, what is on disk when, when the monitor ends, what it costs while nothing happens.
. "$CAIRN_SRCDIR/tests/lib.sh"

victim=$CAIRN_BUILDDIR/tests/crash/monitor_victim
folder=$scratch/spool/app
mkdir -p "$scratch/libexec" "$scratch/bad"
ln -s "$CAIRN_STAGE/libexec/cairn/cairn-monitor" "$scratch/libexec/cairn-monitor"
ln -s "$CAIRN_STAGE/libexec/cairn/cairn-monitor" "$scratch/bad/cairn-monitor"
CAIRN_LIBEXEC=$scratch/libexec
unset CAIRN_PLUGIN_PATH CAIRN_CONFIG

cat >"$scratch/libexec/cairn-engine" <<END
#!/bin/sh
trap '' TERM PIPE
case \$1 in
check)
    mkdir -p '$folder/incoming'
    printf 'cairn-plan 1\nsignals 0x400004f8\nclaim-ms 1000\nhold-ms 5000\npipeline-ms 20000\nchildren fork\n'
    printf 'memory stacks\nclasses \ndeaths \nmax-bytes 67108864\nengines 4\napplication-folder %s\n' '$folder'
    echo "\$PPID" >'$scratch/monitor.pid'
    ;;
report)
    for _ in \$(seq 200); do
        [ -n "\${FAKE_GATE:-}" ] && [ ! -e "\$FAKE_GATE" ] || break
        sleep 0.05
    done
    # By number: the shell's own come and go while a list of all is read.
    for fd in 4 5; do echo "\$fd \$(readlink /proc/\$\$/fd/\$fd)"; done >'$scratch/descriptors'
    flock -n "\$3" true 2>/dev/null; echo "lock \$?" >>'$scratch/descriptors'
    echo "\$@" >>'$scratch/calls'
    echo 'committed delivered'
    ;;
esac
END
printf '#!/bin/sh\necho "shop.yaml:3:1: filters.x: unknown key" >&2\nexit 78\n' >"$scratch/bad/cairn-engine"
chmod +x "$scratch/libexec/cairn-engine" "$scratch/bad/cairn-engine"

# run WHAT: runs the victim; then $status, $out, $monitor are its own, and the disk holds this only.
run() {
    rm -rf "$folder" "$scratch/calls" "$scratch/descriptors" "$scratch/monitor.pid"
    "$victim" "$1" >"$scratch/out" 2>"$scratch/err"
    status=$?
    out=$(cat "$scratch/out")
    monitor=$(cat "$scratch/monitor.pid" 2>/dev/null)
}

# A process that has ended, if perhaps nobody has waited for it yet.
gone() {
    [ -n "$1" ] && ! readlink "/proc/$1/exe"
}
called() {
    [ "$(wc -l <"$scratch/calls")" -ge "${1:-1}" ]
}
dumps() {
    find "$folder" -name capture.dmp | wc -l
}

run crash
is "crash: the shell sees the signal" "$status" 139
has "crash: no descriptor is left in the program" "$out" '^descriptors 0$'
has "crash: the program has no child" "$out" '^children none$'
has "crash: the program has no new thread" "$out" '^threads 1$'
ok "crash: the engine is called" wait_for 5 called
dump=$(find "$folder/incoming" -name capture.dmp)
has "crash: one minidump, in a folder named by a UUID of version 7" "$dump" \
    '/incoming/[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}/capture\.dmp$'
is "crash: it begins with MDMP" "$(head -c 4 "$dump")" MDMP
is "crash: nothing but the minidump is in the folder" "$(ls -A "${dump%/*}")" capture.dmp
is "crash: folder and file are private" "$(stat -c %a "${dump%/*}" "$dump" | tr '\n' ' ')" '700 600 '
has "crash: the engine's command line" "$(cat "$scratch/calls")" \
    "^report --folder ${dump%/*} --lock-fd 5 --place-fd 6 --config-fd 4 --executable .*monitor_victim\$"
has "crash: the engine's configuration is a memfd" "$(cat "$scratch/descriptors")" '^4 /memfd:'
has "crash: the engine's lock is the folder" "$(cat "$scratch/descriptors")" "^5 ${dump%/*}\$"
has "crash: the folder is locked while the engine works" "$(cat "$scratch/descriptors")" '^lock 1$'
ok "crash: the monitor ends" wait_for 5 gone "$monitor"
if have_readers; then
    has "crash: stackwalk's reason" "$(stackwalk "$dump")" '^Crash reason: *SIGSEGV /SEGV_MAPERR'
fi
is "crash: nothing went wrong" "$(cat "$folder/cairn.log" 2>/dev/null)" ""

run post
is "post-dump: the shell sees the signal" "$status" 139
has "post-dump: the callback finds the minidump on disk" "$out" '^post 11 1 [0-9a-f-]{36} on-disk$'
ok "post-dump: the monitor ends" wait_for 5 gone "$monitor"

run cancel
is "filter says no: the shell sees the signal" "$status" 139
ok "filter says no: the monitor ends" wait_for 5 gone "$monitor"
is "filter says no: nothing is on disk" "$(find "$folder" -type f)" ""

run dump
is "cairn_dump: the program goes on" "$status" 0
has "cairn_dump: it gets the id" "$out" '^dump 0 [0-9a-f-]{36}$'
id=$(printf '%s\n' "$out" | sed -n 's/^dump 0 //p')
ok "cairn_dump: the minidump is on disk" test -s "$folder/incoming/$id/capture.dmp"
ok "cairn_dump: the monitor ends with the program" wait_for 5 gone "$monitor"

run exit
is "exit: the program's own status" "$status" 3
ok "exit: the monitor ends" wait_for 5 gone "$monitor"
is "exit: nothing is on disk" "$(find "$folder" -type f)" ""

run stop
has "cairn_stop: it succeeds" "$out" '^stop 0$'
ok "cairn_stop: the monitor ends" wait_for 5 gone "$monitor"

# The engine waits until the gate is there.
FAKE_GATE=$scratch/gate
export FAKE_GATE
run crash
kill -TERM "$monitor"
sleep 0.5
ok "SIGTERM before the commit is put off" readlink "/proc/$monitor/exe"
touch "$FAKE_GATE"
ok "SIGTERM: the monitor ends after the commit" wait_for 5 gone "$monitor"
ok "SIGTERM: the report was made" called
unset FAKE_GATE

rm -f "$scratch/calls" "$scratch/monitor.pid" "$scratch/out"
mkfifo "$scratch/hold"
"$victim" wait <"$scratch/hold" >"$scratch/out" 2>&1 &
waiting=$!
started="$started $waiting"
exec 9>"$scratch/hold"
ok "idle: the program has started" wait_for 5 grep -q '^threads' "$scratch/out"
monitor=$(cat "$scratch/monitor.pid")
# wakeups PROCESS...
wakeups() {
    for process; do cat /proc/"$process"/task/*/status; done | awk '/ctxt_switches/ { sum += $2 } END { print sum }'
}
sleeps() {
    first=$(wakeups "$monitor" "$waiting")
    sleep 1
    [ "$(wakeups "$monitor" "$waiting")" -eq "$first" ]
}
# timers PROCESS: of timer_create(), of timerfd_create().
timers() {
    grep '^ID' "/proc/$1/timers"
    find "/proc/$1/fd" -lname '*timerfd*'
}
ok "idle: it comes to rest, and the program: no wake-up in a second" wait_for 1 sleeps
if [ -e /proc/self/timers ]; then
    is "idle: the program has no timer" "$(timers "$waiting")" ""
    timeout 60 sleep 60 &
    timed=$!
    ok "control: a timer is seen" wait_for 5 sh -c "grep -q '^ID' /proc/$timed/timers"
    kill "$timed"
else
    skip "idle: the program has no timer" "the kernel does not tell (CONFIG_CHECKPOINT_RESTORE)"
fi
pss=$(awk '/^Pss:/ { print $2 }' "/proc/$monitor/smaps_rollup")
echo "# idle monitor: PSS $pss KiB"
is "idle: it blocks what it waits for, and nothing of what the program did" \
    "$(awk '/^SigBlk:/ { print $2 }' "/proc/$monitor/status")" 0000000000004003
ok "idle: at most 500 KiB of its own" test "$pss" -le 500
# Its folder in the control groups is one more, where there are any.
is "idle: descriptors" "$(find "/proc/$monitor/fd" -type l ! -lname '/sys/fs/cgroup/*' | wc -l)" 10
id=$("$CAIRN_LIBEXEC/cairn-monitor" --dump "$waiting")
is "--dump: a running process" "$?" 0
ok "--dump: the minidump is on disk" test -s "$folder/incoming/$id/capture.dmp"
kill -TERM "$monitor"
ok "idle: SIGTERM ends the monitor" wait_for 5 gone "$monitor"
exec 9>&-
wait "$waiting"
is "idle: the program outlives its monitor" "$?" 0

"$CAIRN_LIBEXEC/cairn-monitor" 2>"$scratch/err"
is "without arguments: wrong usage" "$?" 64
has "without arguments: a sentence" "$(cat "$scratch/err")" '^cairn-monitor is started by libcairn'
"$CAIRN_LIBEXEC/cairn-monitor" --dump 4194304 2>"$scratch/err"
is "--dump: no such process" "$?" 66
CAIRN_LIBEXEC=$scratch/bad "$CAIRN_LIBEXEC/cairn-monitor" --dump $$ 2>"$scratch/err"
is "--dump: problems in the configuration" "$?" 78
has "--dump: they are printed" "$(cat "$scratch/err")" '^shop\.yaml:3:1: filters\.x: unknown key$'

# With a configuration file the check begins before the monitor does. This engine knows nothing else.
mkdir "$scratch/early"
ln -s "$CAIRN_STAGE/libexec/cairn/cairn-monitor" "$scratch/early/cairn-monitor"
sed "s|^check)|start) echo \"\$@\" >'$scratch/arguments'|" "$scratch/libexec/cairn-engine" >"$scratch/early/cairn-engine"
chmod +x "$scratch/early/cairn-engine"
echo 'version: 1' >"$scratch/file.yaml"
CONFIG_FILE=$scratch/file.yaml
CAIRN_LIBEXEC=$scratch/early
export CAIRN_LIBEXEC CONFIG_FILE
run crash
is "a check that libcairn begins: the crash's signal" "$status" 139
has "... is of this file and this program" "$(cat "$scratch/arguments")" "^start $scratch/file.yaml .*/monitor_victim\$"
ok "... is the monitor's child, which takes the crash" wait_for 10 called
wait_for 10 gone "$monitor"
CAIRN_LIBEXEC=$scratch/libexec
run crash
is "a check that cannot be begun is the monitor's" "$status" 139
ok "... which takes the crash" wait_for 10 called
wait_for 10 gone "$monitor"
unset CONFIG_FILE

CAIRN_LIBEXEC=$scratch/bad
export CAIRN_LIBEXEC
run crash
is "problems: cairn_start fails" "$status" 2
has "problems: it hands them over" "$out" '^shop\.yaml:3:1: filters\.x: unknown key$'
CAIRN_LIBEXEC=$scratch/empty
mkdir "$scratch/empty"
ln -s "$CAIRN_STAGE/libexec/cairn/cairn-monitor" "$scratch/empty/cairn-monitor"
run crash
is "no engine: cairn_start fails" "$status" 2
has "no engine: a sentence" "$out" 'empty/cairn-engine could not be started: No such file or directory\.$'

done_testing
