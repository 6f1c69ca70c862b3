#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The stack walk on real crashes, each hard in its own way: every function between main and the crash is
# found, in order, and each frame says how.
. "$CAIRN_SRCDIR/tests/lib.sh"

cat >"$scratch/cairn.yaml" <<END
version: 1
engine: { spool: $spool }
writers:
  dump: { plugin: minidump, memory: stacks }
pipelines:
  default: { writers: [dump] }
END

cat >"$scratch/victim.c" <<'END'
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
typedef int function(int);
static volatile int zero;
static int *volatile nowhere = (int *)16;
static char data[64];
__attribute__((noinline)) static int inner(function *call, int n)
{
    volatile char used[200];
    for (unsigned i = 0; i < sizeof(used); i++) {
        used[i] = n; /* no old return address is left here, which a scan would take for one */
    }
    return (call != NULL || n < 0 ? call(n) : (*nowhere = 1)) + used[n & 63];
}
__attribute__((noinline)) static int middle(function *call, int n)
{
    volatile char used[120];
    for (unsigned i = 0; i < sizeof(used); i++) {
        used[i] = 3;
    }
    return inner(call, n) + used[n & 15];
}
__attribute__((noinline)) static int outer(function *call, int n)
{
    return middle(call, n) + 2;
}
__attribute__((noinline)) static int deep(int n)
{
    volatile char used[64];
    used[n & 63] = 1;
    return zero ? 0 : deep(n + 1) + used[n & 63];
}
__attribute__((noinline)) static int ask_time(int n)
{
    return clock_gettime(CLOCK_MONOTONIC, (struct timespec *)16) + n;
}
__attribute__((noinline)) static int generated(int n)
{
    static const unsigned char code[] = { 0x53, 0x48, 0x83, 0xec, 0x20, 0x89, 0x04, 0x25, 16, 0, 0, 0 };
    void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return inner(memcpy(page, code, sizeof(code)), n); /* push rbx; sub rsp, 32; mov [16], eax */
}
static void on_signal(int number)
{
    outer(NULL, number);
}
__attribute__((noinline)) static int interrupted(int n)
{
    return kill(getpid(), SIGUSR1) + n + zero;
}
int main(int count, char **arguments)
{
    int n = count + zero;
    switch (arguments[1][0]) {
    case 'p': return outer(NULL, n) + 1; /* plain */
    case 'n': return outer(NULL, -1) + 1; /* null: a call through a null pointer */
    case 'd': return outer((function *)data, n) + 1; /* data: a call of what is not executable */
    case 'w': return outer((function *)0x1234567, n) + 1; /* wild: a call of what is not mapped */
    case 's': signal(SIGUSR1, on_signal); /* signal: within a handler */
        return interrupted(n) + 1;
    case 'v': return ask_time(n) + 1; /* vdso */
    case 'g': return generated(n) + 1;
    case 'r': return deep(n) + 1; /* recursion without an end */
    }
    return 2;
}
END
build() {
    name=$1
    shift
    ${CC:-cc} -O1 -w -fno-inline -fno-optimize-sibling-calls -fcf-protection=none "$@" -o "$scratch/$name" "$scratch/victim.c"
}
build usual -fomit-frame-pointer
build blind -fomit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables
build framed -fno-omit-frame-pointer -fno-asynchronous-unwind-tables -fno-unwind-tables

# walk PROGRAM SCENE: $frames are "trust symbol" lines, up to main; $report is the report.
count=0
walk() {
    count=$((count + 1))
    cairn run -c "$scratch/cairn.yaml" -- "$scratch/$1" "$2" >"$scratch/out" 2>"$scratch/err"
    is "$1, $2: exit status" "$?" 139
    ok "$1, $2: a report" wait_for 30 committed "$count"
    report=$(newest)/report.json
    frames=$(python3 -c '
import json, sys
for frame in json.load(open(sys.argv[1]))["frames"]:
    print(frame["trust"], frame.get("symbol"))
    if frame.get("symbol") == "main":
        break' "$report")
}

walk usual plain
is "usual: by call frame information" "$frames" "context inner
cfi middle
cfi outer
cfi main"

walk blind plain
is "blind: by scanning, which may find old return addresses, too" \
    "$(printf '%s\n' "$frames" | grep -E ' (inner|middle|outer|main)$')" "context inner
scan middle
scan outer
scan main"

walk framed plain
is "framed: by frame pointers" "$frames" "context inner
frame-pointer middle
frame-pointer outer
frame-pointer main"

for scene in null data wild; do
    for program in usual framed; do
        walk "$program" "$scene"
        is "$program, $scene: the caller, and not only the caller's caller" \
            "$(printf '%s\n' "$frames" | sed '1d;s/^[^ ]* //' | tr '\n' ' ')" 'inner middle outer main '
    done
done

walk usual generated
is "generated: the caller of code without a module" \
    "$(printf '%s\n' "$frames" | sed 's/^[^ ]* //' | tr '\n' ' ')" 'None inner generated main '

walk usual signal
is "signal: through the handler's return to what it interrupted" \
    "$(printf '%s\n' "$frames" | sed 's/^[^ ]* //' | grep -E '^(inner|middle|outer|on_signal|kill|interrupted|main)$' | tr '\n' ' ')" \
    "inner middle outer on_signal kill interrupted main "

walk usual vdso
has "vdso: its own frame has a name, if the dump has the vDSO" "$frames" '^context (__vdso_clock_gettime|None)$'
has "vdso: the caller" "$frames" '^cfi ask_time$'

for program in usual framed; do
    walk "$program" recursion
    is "$program, recursion: 256 frames" "$(field "$report" frames | grep -o '"trust"' | wc -l)" 256
    is "$program, recursion: the innermost" \
        "$(printf '%s\n' "$frames" | head -n 192 | sed 's/^[^ ]* //' | sort -u)" deep
    has "$program, recursion: and the way to main" "$frames" '^(cfi|frame-pointer) main$'
    has "$program, recursion: the note says so" "$(field "$report" notes)" \
        'frames between the innermost 192 and the outermost 64 are not shown'
done

# Without the module that knows ELF files: frame pointers, no symbols, and a sentence in the log.
mkdir "$scratch/libexec"
ln -s "$CAIRN_LIBEXEC"/cairn-monitor "$CAIRN_LIBEXEC"/cairn-engine "$CAIRN_LIBEXEC"/cairn-sender "$scratch/libexec/"
CAIRN_LIBEXEC=$scratch/libexec
walk framed plain
is "no module: by frame pointers" "$(printf '%s\n' "$frames" | head -n 4)" "context None
frame-pointer None
frame-pointer None
frame-pointer None"
ok "no module: the log says so" grep -rq "walked without files: .*cairn-stackwalk.so" "$spool"
done_testing
