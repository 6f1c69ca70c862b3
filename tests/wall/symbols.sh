#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What libcairn.so exports, needs and weighs: exactly the C API in doc/abi/libcairn.symbols, libc alone,
# at most 64 KiB of text. Each check also sees a planted offender.
. "$CAIRN_SRCDIR/tests/lib.sh"

library=$CAIRN_BUILDDIR/.libs/libcairn.so
preload=$CAIRN_BUILDDIR/.libs/libcairn-preload.so

exports() {
    ${NM:-nm} -D --defined-only "$1" | awk '$2 != "A" { sub(/@@/, "@", $3); print $3 }' | LC_ALL=C sort
}

needs() {
    readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | grep -vE '^(libc\.so\.6|ld-linux-x86-64\.so\.2)$'
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
ok "the preload library, which stands in for libc besides: at most 72 KiB of text" test "$(text_bytes "$preload")" -le 73728
has "the preload library is initialised first" "$(readelf -dW "$preload")" 'INITFIRST'
is "... and replaces functions of signals, threads, exec() and ends only, besides being known to other copies" "$(exports "$preload" | tr '\n' ' ')" \
    "_Exit __sigaction __sysv_signal _exit bsd_signal cairn_copy epoll_pwait execl execle execlp execv execve execveat execvp execvpe fexecve ppoll pselect pthread_create pthread_sigmask quick_exit sigaction sigaltstack sighold sigignore signal sigprocmask sigrelse sigset sigsuspend ssignal sysv_signal thrd_create "
is "neither has a writable and executable segment" \
    "$(readelf -lW "$library" "$preload" | grep -c 'RWE')" 0

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
