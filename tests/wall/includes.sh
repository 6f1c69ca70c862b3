#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Dependencies point one way (doc/architecture.md, "Folders"): which header a folder may include, and
# which third-party header has its one home where. The check runs over a planted offender too, which
# it must find.
. "${CAIRN_SRCDIR:-.}/tests/lib.sh"

# folder | what its files may include of ours, as an extended regular expression
rules() {
    cat <<'END'
core/util/|core/util/|cairn/cairn\.h
core/capture/|core/capture/
core/minidump/write|core/minidump/(writer|write_[a-z]*|format)\.h|core/capture/
core/minidump/read|core/minidump/(reader|read_[a-z]*|reader_[a-z]*|format)\.h|core/util/
core/crash/|core/crash/|core/capture/|core/minidump/(writer|format)\.h
core/client/|core/client/|core/crash/|core/capture/|core/minidump/(writer|format)\.h|cairn/cairn\.h
core/monitor/|core/monitor/|core/util/fault\.h|core/crash/(page|records)\.h|core/capture/|core/minidump/(writer|format)\.h|cairn/cairn\.h
core/config/|core/config/|core/util/|cairn/
core/report/|core/report/|core/minidump/(reader|format)\.h|core/util/|cairn/
core/plugin/|core/plugin/|core/report/|core/config/|core/minidump/(reader|format)\.h|core/util/|cairn/
core/engine/|core/engine/|core/plugin/|core/report/|core/config/|core/minidump/(reader|format)\.h|core/util/|cairn/
core/sender/|core/sender/|core/plugin/|core/report/|core/config/|core/minidump/(reader|format)\.h|core/util/|cairn/
plugins/|plugins/|cairn/plugin\.h
examples/plugins/|cairn/plugin\.h
END
}

homes() {
    cat <<'END'
yaml\.h|core/config/yaml\.c
cjson/cJSON\.h|core/report/json[a-z_]*\.c|plugins/transport/
elfutils/|core/engine/stackwalk[a-z_]*\.c
dwarf\.h|core/engine/stackwalk[a-z_]*\.c
curl/curl\.h|plugins/transport/
sha2\.h|core/util/sha256\.c
openssl/|core/engine/digest\.c
END
}

# offences ROOT: every include that runs the wrong way, as "file: header".
offences() {
    (
        cd "$1" || exit 1
        rules | while IFS='|' read -r folder allowed; do
            find . -path "./$folder*" -name '*.[ch]' | sed 's,^\./,,' | sort | while read -r file; do
                sed -n 's/^ *# *include *[<"]\(\(core\|plugins\|tools\|tests\|cairn\)\/[^>"]*\)[>"].*/\1/p' "$file" |
                    grep -Ev "^($allowed)" | sed "s,^,$file: ,"
            done
        done
        homes | while IFS='|' read -r header places; do
            grep -rlE "^ *# *include *[<\"]$header" --include='*.[ch]' core plugins tools include 2>/dev/null |
                grep -Ev "^($places)" | sed "s,\$,: $header,"
        done
    )
}

is "no include runs the wrong way" "$(offences "$CAIRN_SRCDIR")" ""

mkdir -p "$scratch/tree/core/capture" "$scratch/tree/core/config" "$scratch/tree/core/engine"
echo '#include "core/util/buf.h"' >"$scratch/tree/core/capture/bad.c"
echo '#include "core/engine/engine.h"' >"$scratch/tree/core/config/bad.c"
echo '#include <yaml.h>' >"$scratch/tree/core/engine/bad.c"
echo '#include <openssl/evp.h>' >"$scratch/tree/core/engine/digest_load.c"
echo '#include "core/config/config.h"' >"$scratch/tree/core/engine/good.c"
is "control: planted offenders are found" "$(offences "$scratch/tree")" \
    "core/capture/bad.c: core/util/buf.h
core/config/bad.c: core/engine/engine.h
core/engine/bad.c: yaml.h
core/engine/digest_load.c: openssl/"

# Import-free code must not reach for libc's headers either.
libc_headers() {
    grep -rnE '^ *# *include *<(stdio|stdlib|string|unistd|errno|pthread|sys/[a-z_]+|fcntl|time|signal|poll|dirent)\.h>' \
        "$1/core/capture" "$1/core/crash" --include='*.[ch]'
    grep -nE '^ *# *include *<(stdio|stdlib|string|unistd|errno|pthread|sys/[a-z_]+|fcntl|time|signal)\.h>' \
        "$1"/core/minidump/write*.[ch]
}
is "import-free code includes no header of libc" "$(libc_headers "$CAIRN_SRCDIR" 2>/dev/null)" ""
echo '#include <stdlib.h>' >"$scratch/tree/core/capture/worse.c"
has "control: a libc header is found" "$(libc_headers "$scratch/tree" 2>/dev/null)" 'worse\.c:1:'

done_testing
