#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What doc/threat-model.md claims: each protection has a test that fails without it. In a copy of the tree one
# protection at a time is taken out by a sed expression (the table is mutations.txt), what depends on it is built
# again, and the test that is named must then fail in the row that is named, after it has passed as it is. For
# ./check --full, some 15 minutes on two processors.
#
# usage: tests/wall/mutations.sh [--keep FOLDER] [PATTERN]
#   PATTERN  only the lines of the table that it (an extended regular expression) matches
#   FOLDER   where the copy is made, and is left for the next run; it is brought up to date
set -eu
shopt -s inherit_errexit
ulimit -c 0
umask 022

top=$(cd "$(dirname "$0")/../.." && pwd)
keep=
if [ "${1:-}" = --keep ]; then
    keep=$2
    shift 2
fi
pattern=${1:-}
work=${keep:-$(mktemp -d "${TMPDIR:-/tmp}/cairn-mutations-XXXXXX")}
mkdir -p "$work/results"
work=$(cd "$work" && pwd)
tree=$work/tree
build=$work/build
jobs=$(nproc 2>/dev/null || echo 2)
failures=0

CAIRN_SRCDIR=$tree CAIRN_BUILDDIR=$build CAIRN_STAGE=$build/stage$work/prefix
CAIRN_CONSENT=/nonexistent/consent TMPDIR=$work/scratch
CAIRN_READERS=${CAIRN_READERS:-$top/build/readers}
export CAIRN_SRCDIR CAIRN_BUILDDIR CAIRN_STAGE CAIRN_CONSENT CAIRN_READERS TMPDIR CC="${CC:-cc}"

finish() {
    if [ -z "$keep" ]; then
        rm -rf "$work"
    fi
}
trap finish EXIT
trap 'exit 1' INT TERM HUP

say() { # VERDICT DESCRIPTION
    if [ "$1" != ok ]; then
        failures=$((failures + 1))
    fi
    echo "$1 - $2"
}

# ---- the copy

# files: all that belongs to the tree, below its top.
files() {
    find . \( -path ./.git -o -path ./build -o -path ./autom4te.cache \) -prune -o ! -type d -print
}

# One that is kept gets what differs only, because what a mutation was built into is older than the file that undid
# it; what autogen.sh makes it makes for itself.
copy() {
    cd "$top"
    if [ ! -d "$tree" ]; then
        mkdir -p "$tree"
        files | tar -cf - -T - | tar -xf - -C "$tree"
        return
    fi
    files | while IFS= read -r file; do
        case $file in
        ./Makefile.in | ./aclocal.m4 | ./configure | ./config.h.in) ;;
        *) cmp -s "$file" "$tree/$file" || cp --parents "$file" "$tree" ;;
        esac
    done
}

prepare() {
    mkdir -p "$build" "$TMPDIR"
    copy
    if [ ! -x "$tree/configure" ] || [ "$tree/configure.ac" -nt "$tree/configure" ]; then
        (cd "$tree" && ./autogen.sh)
    fi
    cd "$build"
    if [ ! -f config.status ] || [ "$tree/configure" -nt config.status ]; then
        "$tree/configure" --prefix="$work/prefix" --enable-tests=yes CFLAGS='-g -O1'
    fi
    make -j"$jobs"
    make -j"$jobs" check TESTS= # all programs of the tests
}

stage() {
    make -j"$jobs" all && rm -rf stage && make DESTDIR="$build/stage" install
}

# command TEST ROW: what runs it, brought up to date with the source; a table of Python's runs the one row.
command_of() {
    case $1 in
    tests/unit/test_plugin_*) # they load the plugins' files
        make -j"$jobs" all "${1%.c}.test" && command=("./${1%.c}.test")
        ;;
    *.c)
        make -j"$jobs" "${1%.c}.test" && command=("./${1%.c}.test")
        ;;
    *.py)
        stage && command=(python3 -B "$tree/$1" --one "$2" "$CAIRN_STAGE/libexec/cairn" "$CAIRN_STAGE/lib/cairn/plugins"
            tests/crash/tier_victim "$TMPDIR")
        ;;
    *)
        stage && command=("$tree/$1")
        ;;
    esac
}

# run TEST ROW LOG: runs it to its end; the status says no more than whether it could be built.
run() {
    local command status=0
    command_of "$1" "$2" >"$3" 2>&1 || return 1
    timeout 300 "${command[@]}" >"$3" 2>&1 </dev/null || status=$?
    echo "# status $status" >>"$3"
}

# answer LOG ROW: pass, fail, died (the test itself, before that row), none.
answer() {
    if grep -E '^not ok ' "$1" | grep -Fq -- "$2"; then
        echo fail
    elif grep -E '^ok ' "$1" | grep -Fv '# SKIP' | grep -Fq -- "$2"; then
        echo pass
    elif grep -Eq '^# status (12[4-9]|1[3-9][0-9])$' "$1"; then
        echo died
    else
        echo none
    fi
}

# ---- one line of the table

# mutate FILE SED: changes the copy; 1 when nothing is changed by that.
mutate() {
    cp "$tree/$1" "$work/original"
    sed -E -i -e "$2" "$tree/$1"
    ! cmp -s "$tree/$1" "$work/original"
}

restore() {
    cp "$work/original" "$tree/$1" # newer than what was built from the other
}

# try FILE SED TEST ROW LOG: what comes of the mutation, in a word or two.
try() {
    if ! mutate "$1" "$2"; then
        echo "changes nothing"
    elif ! run "$3" "$4" "$5"; then
        echo "does not build"
    else
        case $(answer "$5" "$4") in
        pass) echo survived ;;
        fail) echo caught ;;
        died) echo "caught, by the test's end" ;;
        *) echo "no such row" ;;
        esac
    fi
    restore "$1"
}

# unchanged TEST ROW: what the row says without a mutation; the test is run once for all of its rows.
unchanged() {
    local log=$work/results/unchanged-${1//\//-}
    if [[ $1 = *.py ]]; then
        log=$log-${2//[^a-z]/-}
    fi
    if [ ! -f "$log.done" ]; then
        run "$1" "$2" "$log" && touch "$log.done"
    fi
    answer "$log" "$2"
}

number=0
line_of_table() { # NAME FILE SED TEST ROW
    local description="$1: $2 without it: $4: \"$5\"" outcome before
    before=$(unchanged "$4" "$5")
    if [ "$before" != pass ]; then
        say "not ok" "$description # without a mutation: $before"
        return
    fi
    number=$((number + 1))
    outcome=$(try "$2" "$3" "$4" "$5" "$work/results/$number-$1")
    case $outcome in
    caught*) say ok "$description # $outcome" ;;
    *) say "not ok" "$description # $outcome" ;;
    esac
}

control() { # DESCRIPTION WANTED FILE SED TEST ROW
    local outcome
    outcome=$(try "$3" "$4" "$5" "$6" "$work/results/control")
    if [ "$outcome" = "$2" ]; then
        say ok "control: $1 # $outcome"
    else
        say "not ok" "control: $1 # $outcome"
    fi
}

# The table has five lines for each: name, file, expression, test, row; and empty lines and comments between them.
table() {
    local name file expression test row
    while read -r name; do
        case $name in
        '' | '#'*) continue ;;
        esac
        read -r file && read -r expression && read -r test && read -r row
        if [[ "$name $file $expression $test $row" =~ $pattern ]]; then
            line_of_table "$name" "$file" "$expression" "$test" "$row"
        fi
    done <"$tree/tests/wall/mutations.txt"
}

prepare >"$work/prepare.log" 2>&1 || {
    tail -n 40 "$work/prepare.log"
    exit 1
}
cd "$build"
rm -f "$work"/results/*.done
table
control "one that takes nothing out survives" survived core/util/fs.c '1,2s/Files/The files/' \
    tests/unit/test_util.c "links and FIFOs are refused"
control "one that changes nothing is told" "changes nothing" core/util/fs.c 's/no such text//' \
    tests/unit/test_util.c "links and FIFOs are refused"
control "one that cannot be built is told" "does not build" core/util/fs.c '1,2s/^/no C/' \
    tests/unit/test_util.c "links and FIFOs are refused"
control "a row that is not there is told" "no such row" core/util/fs.c '1,2s/Files/The files/' \
    tests/unit/test_util.c "no such row"
echo "# $failures failures"
[ "$failures" -eq 0 ]
