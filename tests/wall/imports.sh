#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Code that runs in a crashed process imports nothing: all its objects, linked with ld -r, leave no
# undefined symbol, have no thread-local variables and no constructors. Planted offenders show that
# the check sees what it looks for; if it does not, the whole test is worth nothing: exit 99.

set -u
: "${CAIRN_BUILDDIR:?run me through make check}"
CC=${CC:-cc} LD=${LD:-ld} NM=${NM:-nm}
scratch=$(mktemp -d "${TMPDIR:-/tmp}/cairn-wall-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
count=0 failed=0

# $NM is unquoted on purpose: it may be "nm -B". Files instead of pipes: a failing command must show.

# imports OBJECTS...: what they need from elsewhere, a name a line.
imports() {
    $LD -r -o "$scratch/linked.o" "$@" || return 1
    $NM -u "$scratch/linked.o" >"$scratch/undefined" || return 1
    awk '$1 == "U" && $2 != "_GLOBAL_OFFSET_TABLE_" { print $2 }' "$scratch/undefined"
}

# sections OBJECTS...: those that must not be there.
sections() {
    $LD -r -o "$scratch/linked.o" "$@" || return 1
    readelf -SW "$scratch/linked.o" >"$scratch/sections" || return 1
    grep -oE '\.(tdata|tbss|init_array|fini_array|ctors|gnu\.lto_)[^ ]*' "$scratch/sections" | sort -u
}

result() {
    count=$((count + 1))
    if [ -z "$2" ]; then
        echo "ok $count - $1"
    else
        failed=1
        echo "not ok $count - $1"
        printf '%s\n' "$2" | sed 's/^/# /'
    fi
}

# control NAME KIND WANTED SOURCE: the check KIND must find WANTED in an object made of SOURCE.
control() {
    echo "$4" >"$scratch/control.c"
    if ! $CC -O1 -fPIC -fno-lto -c -o "$scratch/control.o" "$scratch/control.c"; then
        echo "Bail out! the control \"$1\" does not compile"
        exit 99
    fi
    if [ "$("$2" "$scratch/control.o")" != "$3" ]; then
        echo "Bail out! the control \"$1\" was not seen"
        exit 99
    fi
    result "control: $1" ""
}

control "a call of malloc is an import" imports malloc \
    'void *malloc(unsigned long); void *offend(void); void *offend(void) { return malloc(7); }'
control "a harmless object has none" imports "" \
    'int good(int a); int good(int a) { return a + 1; }'
control "a thread-local variable is seen" sections .tbss \
    '__thread int offend;'
control "a constructor is seen" sections .init_array \
    'int n; __attribute__((constructor)) static void offend(void) { n = 1; }'

libraries=
for name in capture minidump-writer crash records; do
    library=$CAIRN_BUILDDIR/.libs/libcairn-$name.a
    [ -f "$library" ] || library=$CAIRN_BUILDDIR/libcairn-$name.a
    if [ -f "$library" ]; then
        libraries="$libraries $library"
    elif [ "$name" != crash ] || [ -n "$(find "${CAIRN_SRCDIR:-.}/core/crash" -name "*.c" 2>/dev/null)" ]; then
        result "libcairn-$name was built" "there is no $library"
    fi
done

# $libraries is unquoted on purpose: a list.
if found=$(imports --whole-archive $libraries); then
    result "import-free code imports nothing" "$found"
else
    result "import-free code can be linked" "ld or nm failed"
fi
result "it has no thread-local variables, constructors or LTO code" \
    "$(sections --whole-archive $libraries)"
size "$scratch/linked.o" | sed 's/^/# /'

echo "1..$count"
exit "$failed"
