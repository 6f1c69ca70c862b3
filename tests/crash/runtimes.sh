#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runtimes that make exceptions of SIGSEGV, under `cairn run`: OpenJDK, Node, and where they are installed (./check --full)
# Mono and Go. What they catch leaves no report; what they die of leaves one, and everything else as without Cairn.
. "$CAIRN_SRCDIR/tests/lib.sh"

cat >"$scratch/cairn.yaml" <<END
version: 1
engine: { spool: $spool }
writers: { dump: { plugin: minidump } }
pipelines: { default: { writers: [dump] } }
END
sources=$CAIRN_SRCDIR/tests/crash/runtimes
cd "$scratch" || exit 99

# under NAME COMMAND...: runs it without Cairn, then with it; $bare and $status, $plain and $out.
under() {
    name=$1
    shift
    timeout 60 "$@" >"$scratch/plain" 2>/dev/null
    bare=$?
    timeout 60 cairn run -c "$scratch/cairn.yaml" -- "$@" >"$scratch/out" 2>"$scratch/err"
    status=$?
    is "$name: exit status as without Cairn" "$status" "$bare"
    is "$name: it catches what it caught without Cairn" "$(grep caught "$scratch/out")" "$(grep caught "$scratch/plain")"
}

at_rest() {
    no_process cairn-monitor cairn-engine && [ -z "$(find "$spool" -path '*/incoming/*' -print -quit 2>/dev/null)" ]
}

# reported COUNT: so many in all, and nothing is under way.
reported() {
    ok "$name: nothing is left over" wait_for 30 at_rest
    is "$name: reports in all" "$(find "$spool" -name report.json 2>/dev/null | wc -l)" "$1"
}

# Of what the newest report is: signal, address, and where.
of_fault() {
    report=$(newest)/report.json
    echo "$(field "$report" crash.signal) $(field "$report" crash.address) $(field "$report" frames.0."${1:-module}")"
}
# How the program ended then, where nothing but its end told.
ended() {
    sed -n 's/^ *"crash.end": *"\(.*\)",*$/\1/p' "$(newest)/report.json"
}

# uses_faults COMMAND...: the control: the runtime does have its exceptions of signals, a hundred at least.
uses_faults() {
    strace -f -o "$scratch/signals" -e trace=none "$@" >/dev/null 2>&1
    [ "$(grep -c 'SIGSEGV' "$scratch/signals")" -ge 100 ]
}
control() {
    if command -v strace >/dev/null; then
        ok "$name: control: it has its exceptions of SIGSEGV" uses_faults "$@"
    else
        skip "$name: control" "strace is not installed"
    fi
}

count=0
if command -v java >/dev/null; then
    if command -v javac >/dev/null; then
        ok "Java: the test's source compiles" javac -nowarn -d "$scratch" "$sources/NullChecks.java"
    else
        base64 -d "$sources/NullChecks.base64" >"$scratch/NullChecks.class"
    fi
    under "Java" java -cp "$scratch" NullChecks 20000
    is "Java: it ends normally" "$status $(cat "$scratch/out")" "0 caught 10000"
    reported $count
    control java -cp "$scratch" NullChecks 2000
    under "Java, crash" java -cp "$scratch" NullChecks 20000 crash
    count=$((count + 1))
    reported $count
    report=$(newest)/report.json
    is "Java, crash: of the original fault" "$(field "$report" crash.signal) $(field "$report" crash.address)" "SIGSEGV 0x0"
    is "Java, crash: ... in its virtual machine" "$(field "$report" frames.0.module)" libjvm.so
    is "Java, crash: it dies of its own abort()" "$status" 134
    is "Java, crash: its own log is written with Cairn and without" \
        "$(cat hs_err_pid*.log | grep -c '^siginfo: si_signo: 11 (SIGSEGV), si_code: 1 (SEGV_MAPERR), si_addr: 0x0*$')" 2
else
    skip "Java" "there is no java"
fi

if command -v node >/dev/null; then
    under "Node" node "$sources/traps.js" 10000
    is "Node: it ends normally" "$status $(cat "$scratch/out")" "0 caught 5000"
    reported $count
    control node "$sources/traps.js" 1000
    under "Node, abort" node "$sources/traps.js" 1000 abort
    count=$((count + 1))
    reported $count
    is "Node, abort: signal" "$(field "$(newest)/report.json" crash.signal)" SIGABRT
    under "Node, killed" node "$sources/traps.js" 1000 kill
    count=$((count + 1))
    reported $count
    is "Node, killed: signal and code" \
        "$(field "$(newest)/report.json" crash.signal) $(field "$(newest)/report.json" crash.code)" "SIGSEGV SI_USER"
else
    skip "Node" "there is no node"
fi

if command -v mcs >/dev/null && command -v mono >/dev/null; then
    ok "Mono: the test's source compiles" mcs -out:"$scratch/nullchecks.exe" "$sources/nullchecks.cs"
    under "Mono" mono "$scratch/nullchecks.exe" 2000
    is "Mono: it ends normally" "$status $(cat "$scratch/out")" "0 caught 1000"
    reported $count
    control mono "$scratch/nullchecks.exe" 2000
    # Its handler makes the thread call what finds that the fault was not its own, and aborts.
    for faults in 0 2000; do
        under "Mono, crash after $faults faults" mono "$scratch/nullchecks.exe" $faults crash
        count=$((count + 1))
        reported $count
        is "$name: of the original fault" "$(of_fault)" "SIGSEGV 0x10 libc.so.6"
    done
else
    skip "Mono" "there is no mono or no mcs"
fi

if command -v go >/dev/null; then
    mkdir "$scratch/go"
    cp "$sources/nullchecks.go" "$scratch/go/"
    printf 'module nullchecks\n' >"$scratch/go/go.mod"
    # Go's own folders are not to be found in the home of whoever runs this.
    ok "Go: the test's source compiles" sh -c "cd '$scratch/go' && HOME='$scratch/home' GOPROXY=off GOFLAGS=-modcacherw \
        GOCACHE='$scratch/cache' CGO_ENABLED=1 go build -o ../nullchecks ."
    under "Go" "$scratch/nullchecks" 2000
    is "Go: it ends normally" "$status $(cat "$scratch/out")" "0 caught 1000"
    reported $count
    control "$scratch/nullchecks" 2000
    under "Go, exit" "$scratch/nullchecks" 2000 exit
    is "Go, exit: its status" "$status" 3
    reported $count
    # A nil dereference that nobody recovers, and a fault in C: its handler makes the thread call what ends the
    # program, by a bare system call or, if it is told to crash, by SIGABRT.
    for level in single crash; do
        GOTRACEBACK=$level
        export GOTRACEBACK
        for faults in 0 2000; do
            under "Go, $level, panic after $faults faults" "$scratch/nullchecks" $faults panic
            count=$((count + 1))
            reported $count
            is "$name: of the original fault" "$(of_fault symbol)" "SIGSEGV 0x0 main.end"
            under "Go, $level, crash in C after $faults faults" "$scratch/nullchecks" $faults crash
            count=$((count + 1))
            reported $count
            is "$name: of the original fault" "$(of_fault symbol)" "SIGSEGV 0x10 crash_here"
            is "$name: how it ended" "$status $(ended)" \
                "$([ $level = crash ] && echo '134 ' || echo '2 exit status 2, without exit()')"
        done
    done
    unset GOTRACEBACK
else
    skip "Go" "there is no go"
fi

done_testing
