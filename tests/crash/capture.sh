#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Capture and minidump writer alone, on a victim that is in one bad state after the other: the dump is
# made in time, says what is missing, the victim dies of its own signal, and readers that nobody here
# wrote show the right reason, threads and frames.
. "$CAIRN_SRCDIR/tests/lib.sh"

victim=$CAIRN_BUILDDIR/tests/crash/dump_victim

# scene NAME REASON THREADS [MEMORY]: then $out and $dump are its own.
scene() {
    dump=$scratch/$1-${4:-stacks}.dmp
    out=$("$victim" "$1" "$dump" "$3" "${4:-stacks}" 2>&1)
    is "$1: captured, and died of its signal" "$?" 0
    if have_readers; then
        walked=$(stackwalk "$dump")
        has "$1: stackwalk's reason" "$walked" "^Crash reason: *$2"
        ok "$1: minidump_dump reads all of it" "$READERS/minidump_dump" "$dump"
    fi
}

scene crash 'SIGSEGV /SEGV_MAPERR' 3
is "crash: threads" "$(printf '%s\n' "$out" | sed -n 's/^threads //p')" 4
is "crash: nothing is missing" "$(printf '%s\n' "$out" | grep '^note')" ""
if have_readers; then
    has "crash: the address" "$walked" '^Crash address: 0x10$'
    has "crash: the crashed thread's frame is in the program" "$walked" '^ 0  .*dump_victim \+ 0x'
    is "crash: thread names" "$("$READERS/minidump_dump" "$dump" 2>/dev/null |
        grep -c 'thread_name *= *"*worker-[012]')" 3
fi
if command -v lldb >/dev/null 2>&1; then
    trace=$(lldb -b -c "$dump" -o 'bt all' 2>/dev/null)
    has "crash: LLDB walks from the crash to main" "$trace" 'crash_now'
    is "crash: LLDB walks every thread to its start" \
        "$(printf '%s\n' "$trace" | grep -cE '`(main|worker) ?(\[inlined\]|\(|at|\+)')" \
        "$(printf '%s\n' "$trace" | grep -cE '`(main|worker)')"
    has "crash: LLDB finds the workers" "$trace" 'worker'
else
    skip "crash: LLDB walks to main" "LLDB is not installed"
fi

scene live 'DUMP_REQUESTED' 3
scene stopped 'DUMP_REQUESTED' 1
usual=$(ulimit -S -s)
ulimit -S -s 16384
scene overflow 'SIGSEGV /SEGV_MAPERR' 1
ulimit -S -s "$usual"
has "overflow: the ends of the stack were kept" "$out" '^note The stack of thread .* were kept'
scene badstack 'SIGSEGV /SEGV_MAPERR' 1
has "badstack: the note says so" "$out" '^note The stack pointer of thread .* leads to no stack'
scene vfork 'SIGSEGV /SEGV_MAPERR' 2
has "vfork: the note says so" "$out" '^note Thread .* vfork'
scene mainexit 'SIGSEGV /SEGV_MAPERR' 1
has "mainexit: the note says so" "$out" '^note The main thread had ended'
scene crash 'SIGSEGV /SEGV_MAPERR' 20 referenced
scene crash 'SIGSEGV /SEGV_MAPERR' 3 full

done_testing
