#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Files of fewer than 600 lines, functions of fewer than 60 lines and of a complexity of at most 10
# (McCabe's, a switch counts as one), everywhere. The check runs over planted offenders too, which it
# must find.
. "${CAIRN_SRCDIR:-.}/tests/lib.sh"

# sources ROOT NAME-PATTERN...: the files of these names in the folders that hold code of ours; without the one that
# a build in the same folder makes.
sources() {
    (
        cd "$1" || exit 1
        shift
        for pattern in "$@"; do
            find bench core demo examples include plugins tests tools -type f -name "$pattern" \
                ! -name plugin_template.c 2>/dev/null
        done | sort
    )
}

# long_files ROOT: those that are too long, as "file: lines".
long_files() {
    (
        cd "$1" || exit 1
        sources . '*.[ch]' '*.py' '*.sh' | tr '\n' '\0' | xargs -0 awk '
            FNR == 1 && NR > 1 { tell() }
            { file = FILENAME; lines = FNR }
            END { tell() }
            function tell() { if (lines >= 600) print file ": " lines " lines" }'
    )
}

# heavy_functions ROOT: those that are too long or too complex, as "file: function: what it has".
heavy_functions() {
    (
        cd "$1" || exit 1
        sources . '*.c' | tr '\n' '\0' | xargs -0 pmccabe | awk -F'\t' '
            { at = $6; sub(/\([0-9]+\): /, ": ", at) }
            $1 > 10 { print at ": complexity " $1 }
            $5 >= 60 { print at ": " $5 " lines" }'
    )
}

# function_of NAME LINES TERMS: one in C of so many lines, whose condition has so many terms.
function_of() {
    echo "int $1(int a)"
    echo '{'
    yes '    a++;' | head -n $(($2 - 4))
    echo "    return a$(yes ' || a' | head -n $(($3 - 1)) | tr -d '\n');"
    echo '}'
}

mkdir -p "$scratch/tree/core" "$scratch/tree/tests"
{
    function_of short 59 10
    function_of long 60 1
    function_of simple 10 10
    function_of complex 10 11
} >"$scratch/tree/core/functions.c"
yes '/* one more */' | head -n 599 >"$scratch/tree/core/short.h"
yes '/* one more */' | head -n 600 >"$scratch/tree/core/long.h"
yes '# one more' | head -n 700 >"$scratch/tree/tests/long.py"

is "no file is too long" "$(long_files "$CAIRN_SRCDIR")" ""
is "control: files that are too long are found" "$(long_files "$scratch/tree")" "core/long.h: 600 lines
tests/long.py: 700 lines"

if command -v pmccabe >/dev/null 2>&1; then
    is "no function is too long or too complex" "$(heavy_functions "$CAIRN_SRCDIR")" ""
    is "control: functions that are too long or too complex are found" \
        "$(heavy_functions "$scratch/tree")" "core/functions.c: long: 60 lines
core/functions.c: complex: complexity 11"
else
    skip "no function is too long or too complex" "pmccabe is not installed"
fi

done_testing
