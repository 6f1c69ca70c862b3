#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What libcairn.so and the libraries beside it export, need and weigh: exactly the C API in doc/abi/libcairn.symbols,
# libc alone, at most 64 KiB of text. Each check also sees a planted offender.
. "$CAIRN_SRCDIR/tests/lib.sh"

library=$CAIRN_BUILDDIR/.libs/libcairn.so
preload=$CAIRN_BUILDDIR/.libs/libcairn-preload.so
threads=$CAIRN_BUILDDIR/.libs/libcairn-threads.so

exports() {
    ${NM:-nm} -D --defined-only "$1" | awk '$2 != "A" { sub(/@@/, "@", $3); print $3 }' | LC_ALL=C sort
}

needs() {
    readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(libc\.so\.6|ld-linux-x86-64\.so\.2)$'
}

# unwindable LIBRARY NAMES...: those of its exports through which an unwinder finds the way without debug information.
unwindable() {
    strip -o "$scratch/stripped.so" "$1"
    readelf --debug-dump=frames "$scratch/stripped.so" | sed -n 's/.* FDE .* pc=0*\([0-9a-f]*\)\.\..*/\1/p' >"$scratch/begins"
    ${NM:-nm} -D --defined-only "$scratch/stripped.so" | sed 's/^0*//' >"$scratch/exports"
    shift
    for name in "$@"; do
        grep -qx "$(awk -v name="$name" '$3 == name { print $1 }' "$scratch/exports")" "$scratch/begins" && echo "$name"
    done
}

text_bytes() {
    size "$1" | awk 'NR == 2 { print $1 }'
}

is "libcairn.so exports the C API" "$(exports "$library")" "$(cat "$CAIRN_SRCDIR/doc/abi/libcairn.symbols")"
is "... which is what cairn.h declares, and what copies know each other by" \
    "$(exports "$library" | sed '/^cairn_copy@/d; s/@.*//')" \
    "$(sed -n '/^CAIRN_API/s/.*[ *]\(cairn_[a-z_]*\)(.*/\1/p' "$CAIRN_SRCDIR/include/cairn/cairn.h" | LC_ALL=C sort)"
is "libcairn.so needs libc only" "$(needs "$library")" ""
is "the preload library needs libc only" "$(needs "$preload")" ""
ok "libcairn.so: at most 64 KiB of text" test "$(text_bytes "$library")" -le 65536
ok "the preload library, which stands in for libc besides: at most 74 KiB of text" test "$(text_bytes "$preload")" -le 75776
has "the preload library is initialised first" "$(readelf -dW "$preload")" 'INITFIRST'
is "... and replaces functions of signals, threads, exec() and ends only, besides being known to other copies and to libcairn-threads" "$(exports "$preload" | tr '\n' ' ')" \
    "_Exit __sigaction __sysv_signal _exit bsd_signal cairn_copy cairn_threads epoll_pwait execl execle execlp execv execve execveat execvp execvpe fexecve ppoll pselect pthread_create pthread_sigmask quick_exit sigaction sigaltstack sighold sigignore signal sigprocmask sigrelse sigset sigsuspend ssignal sysv_signal thrd_create "
is "... one can walk and unwind through those below which the program's own code runs" \
    "$(unwindable "$preload" ppoll pselect sigsuspend epoll_pwait _exit quick_exit pthread_create thrd_create sigaction | tr '\n' ' ')" \
    "ppoll pselect sigsuspend epoll_pwait _exit quick_exit pthread_create thrd_create "
is "libcairn-threads.so replaces what makes threads, under the linker's names for wrapping, too" \
    "$(exports "$threads" | tr '\n' ' ')" "__wrap_pthread_create __wrap_thrd_create pthread_create thrd_create "
is "... needs libc only" "$(needs "$threads")" ""
ok "... at most 8 KiB of text" test "$(text_bytes "$threads")" -le 8192
has "... is never unloaded" "$(readelf -dW "$threads")" 'NODELETE'
is "none has a writable and executable segment" \
    "$(readelf -lW "$library" "$preload" "$threads" | grep -c 'RWE')" 0

cat >"$scratch/offender.c" <<'END'
#include <math.h>
double cairn_extra(double x);
double cairn_extra(double x) { return cos(x); }
END
${CC:-cc} -shared -fPIC -o "$scratch/offender.so" "$scratch/offender.c" -Wl,--no-as-needed -lm
is "control: an export is seen" "$(exports "$scratch/offender.so")" cairn_extra
is "control: a library is seen" "$(needs "$scratch/offender.so")" libm.so.6

# ---- the header, in both languages
echo '#include <cairn/cairn.h>' >"$scratch/header.c"
cp "$scratch/header.c" "$scratch/header.cc"
ok "cairn.h is C11" ${CC:-cc} -std=c11 -pedantic -Wall -Wextra -Werror -D_POSIX_C_SOURCE=200809L \
    -I"$CAIRN_SRCDIR/include" -fsyntax-only "$scratch/header.c"
if command -v "${CXX:-g++}" >/dev/null; then
    ok "cairn.h is C++17" "${CXX:-g++}" -std=c++17 -pedantic -Wall -Wextra -Werror \
        -I"$CAIRN_SRCDIR/include" -fsyntax-only "$scratch/header.cc"
else
    skip "cairn.h is C++17" "there is no C++ compiler"
fi

done_testing
