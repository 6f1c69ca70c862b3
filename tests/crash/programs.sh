#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Programs that nobody here wrote, and some kinds of our own, crash under `cairn run`: python3 through ctypes, perl,
# a C++ program that throws, a program of 1000 threads. Each: one report, the right reason, thread, module.
. "$CAIRN_SRCDIR/tests/lib.sh"

cat >"$scratch/cairn.yaml" <<END
version: 1
engine: { spool: $spool, clocks: { claim: 10s, hold: 20s } } # a busy machine is not what is tried here
writers:
  dump: { plugin: minidump, memory: stacks }
pipelines:
  default: { writers: [dump] }
END

# crashes NAME STATUS SIGNAL COMMAND...: runs it under Cairn; then $report, $dump, $walked are its own.
count=0
crashes() {
    name=$1 wanted_status=$2 wanted_signal=$3
    shift 3
    count=$((count + 1))
    cairn run -c "$scratch/cairn.yaml" -- "$@" >"$scratch/out" 2>"$scratch/err"
    is "$name: exit status" "$?" "$wanted_status"
    ok "$name: a report" wait_for 30 committed "$count"
    folder=$(newest)
    report=$folder/report.json
    dump=$folder/dump.dmp
    is "$name: signal" "$(field "$report" crash.signal)" "$wanted_signal"
    is "$name: tier" "$(field "$report" tier)" 1
    if have_readers; then
        walked=$(stackwalk "$dump")
        has "$name: stackwalk's reason" "$walked" "^Crash reason: *$wanted_signal"
    fi
}

crashes python3 139 SIGSEGV /usr/bin/python3 -c 'import ctypes; ctypes.string_at(16)'
is "python3: the fault address" "$(field "$report" crash.address)" 0x10
has "python3: si_code" "$(field "$report" crash.code)" SEGV_MAPERR
has "python3: frames in python3" "$(cat "$report")" '"module": *"python3'
if have_readers; then
    has "python3: stackwalk's address" "$walked" '^Crash address: 0x10$'
    has "python3: stackwalk walks through ctypes" "$walked" '(_ctypes|libffi)[^ ]* \+ 0x'
fi

crashes perl 134 SIGABRT perl -e 'use POSIX; POSIX::abort()'
has "perl: the message says abort" "$(field "$report" crash.reason)" 'abort'

cat >"$scratch/throws.cc" <<'END'
#include <stdexcept>
struct Deep {
    __attribute__((noinline)) int fall(int n) const
    {
        if (n == 0) {
            throw std::runtime_error("nobody catches me");
        }
        return fall(n - 1) + 1;
    }
};
int main()
{
    return Deep().fall(3);
}
END
g++ -g -O1 -o "$scratch/throws" "$scratch/throws.cc"
crashes C++ 134 SIGABRT "$scratch/throws"
has "C++: the throwing function is on the stack" "$(cat "$report")" 'fall'
has "C++: so is main" "$(cat "$report")" '"symbol": *"main"'

cat >"$scratch/threads.c" <<'END'
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static pthread_barrier_t barrier;
__attribute__((noinline)) static void fall_here(volatile int *where)
{
    *where = 1;
}
static void *body(void *argument)
{
    char used[8192];
    char name[16];
    long number = (long)argument;
    memset(used, (int)number, sizeof(used));
    snprintf(name, sizeof(name), "worker-%ld", number);
    pthread_setname_np(pthread_self(), name);
    pthread_barrier_wait(&barrier);
    if (number == 777) {
        fall_here((volatile int *)0x1000);
    }
    pause();
    return used;
}
int main(int argc, char **argv)
{
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 64 * 1024);
    pthread_barrier_init(&barrier, NULL, (unsigned)count);
    for (long i = 0; i < count; i++) {
        pthread_t thread;
        if (pthread_create(&thread, &attributes, body, (void *)i) != 0) {
            return 3;
        }
    }
    pause();
    return 0;
}
END
${CC:-cc} -g -O1 -pthread -w -o "$scratch/threads" "$scratch/threads.c"
crashes "1000 threads" 139 SIGSEGV "$scratch/threads" 1000
is "1000 threads: the crashed one by name" "$(field "$report" crash.thread)" worker-777
is "1000 threads: the function" "$(field "$report" frames.0.symbol)" fall_here
if have_readers; then
    is "1000 threads: stackwalk sees all 1001" "$(printf '%s\n' "$walked" | grep -c '^Thread [0-9]')" 1001
    has "1000 threads: the right one crashed" "$walked" '^Thread 778 \(crashed\)'
fi

crashes "sent signal" 135 SIGBUS perl -e 'kill BUS => $$; sleep 5'
has "a sent signal is told apart" "$(field "$report" crash.code)" '^SI_'
is "a sent signal has no address" "$(field "$report" crash.address)" null

# perl ignores SIGFPE: what the program ignores is no crash under Cairn either.
cairn run -c "$scratch/cairn.yaml" -- perl -e 'kill FPE => $$; exit 3'
is "a signal that the program ignores stays ignored" "$?" 3

cairn run -c "$scratch/cairn.yaml" -- sh -c 'exit 7'
is "a program that does not crash keeps its status" "$?" 7
ok "no monitor is left over" wait_for 30 idle
is "... and no report but of what crashed" "$(find "$spool" -name report.json | wc -l)" "$count"

done_testing
