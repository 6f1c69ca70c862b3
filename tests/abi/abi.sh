#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The plugin ABI: what was compiled against any released header runs in today's host, what needs a
# newer host is refused by a sentence with both numbers, and structures grow at their end only.
. "$CAIRN_SRCDIR/tests/lib.sh"

CC=${CC:-cc}
abi=$CAIRN_SRCDIR/tests/abi
kinds="filter annotator writer hook transport"
engine=$CAIRN_LIBEXEC/cairn-engine
dump=$scratch/crash.dmp
"$CAIRN_BUILDDIR/tests/crash/dump_victim" crash "$dump" 2 >/dev/null 2>&1

# header VERSION-OR-FILE: a folder to include <cairn/plugin.h> from.
header() {
    folder=$scratch/include/$1
    mkdir -p "$folder/cairn"
    cp "$2" "$folder/cairn/plugin.h"
}
# plugins FOLDER INCLUDE FLAGS...: the plugin of each kind.
plugins() {
    target=$1 include=$2
    shift 2
    number=0
    for kind in $kinds; do
        number=$((number + 1))
        mkdir -p "$target/$kind"
        $CC -std=c11 -D_GNU_SOURCE -pedantic -Wall -Wextra -Werror "-I$include" -DKIND=$number "$@" -fPIC -shared \
            -fvisibility=hidden -Wl,-z,now -o "$target/$kind/abi.so" "$abi/plugin.c" || return 1
    done
}
configuration() {
    options="plugin: abi, list: [a, b], map: { five: 5 }"
    cat <<END
version: 1
application: { name: abi }
engine: { spool: $spool }
filters: { mine: { $options } }
annotators: { mine: { $options } }
writers: { mine: { $options } }
hooks: { mine: { $options } }
transports: { mine: { $options } }
pipelines:
  default: { filters: [mine], annotators: [mine], writers: [mine], hooks: [mine], transports: [mine] }
END
}
configuration >"$scratch/abi.yaml"

# runs WHAT PLUGINS: all five contribute to a report.
runs() {
    CAIRN_PLUGIN_PATH=$2
    id=$("$engine" import --config "$scratch/abi.yaml" "$dump" --wait 2>"$scratch/err")
    report=$spool/abi/delivered/$id/report.json
    # The hook may write once more.
    wait_for 5 grep -q abi.hook "$report"
    is "$1: the report is delivered" "$(test -f "$report" && echo yes)" yes
    is "$1: the filter and the annotator" "$(field "$report" notes)" \
        '["mine: The filter was here.", "mine: A note of mine."]'
    is "$1: the annotator's attributes" "$(for name in string integer double bool hook; do
        python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["attributes"].get(sys.argv[2]))' \
            "$report" "abi.$name"; done | tr '\n' ' ')" "text -3 0.5 True ran "
    is "$1: the writer" "$(cat "${report%/*}/mine.abi")" abi
    is "$1: the transport" "$(field "$report" deliveries.0.server_id)" abi-id
}

# ---- The header by itself.
header today "$CAIRN_SRCDIR/include/cairn/plugin.h"
printf '#include <cairn/plugin.h>\nCAIRN_PLUGIN_NOTE(CAIRN_KIND_HOOK, "x");\n' >"$scratch/header.c"
ok "the header is C11" "$CC" -std=c11 -pedantic-errors -Wall -Wextra -Werror "-I$scratch/include/today" -fsyntax-only \
    "$scratch/header.c"
if command -v "${CXX:-c++}" >/dev/null; then
    ok "the header is C++17" "${CXX:-c++}" -x c++ -std=c++17 -pedantic-errors -Wall -Wextra -Werror \
        "-I$scratch/include/today" -fsyntax-only "$scratch/header.c"
else
    skip "the header is C++17" "there is no C++ compiler"
fi

# untagged HEADER...: functions whose comment does not tag where they run.
untagged() {
    python3 - "$@" <<'END'
import re, sys
tags = re.compile(r'\[(any thread|signal-safe|crash|step|host)\]')
for path in sys.argv[1:]:
    text, found, tagged = open(path, encoding="utf-8").read(), 0, False
    for match in re.finditer(r'/\*.*?\*/|^ *(?:CAIRN_API|typedef)? ?[a-z][\w *]*[ *](?:\(\*(\w+)\)|(cairn_\w+))\(', text, re.S | re.M):
        if match[0].startswith("/*"):
            tagged = tags.search(match[0]) is not None
        else:
            found += 1
            if not tagged and (match[1] or match[2]) not in ("check", "create", "destroy"):
                print(match[1] or match[2])
    if found < 15:
        print(f"{path}: too few")
END
}
is "each function tells where it runs" \
    "$(untagged "$CAIRN_SRCDIR/include/cairn/plugin.h" "$CAIRN_SRCDIR/include/cairn/cairn.h")" ""
sed 's/\[step\] Delivers/Delivers/' "$CAIRN_SRCDIR/include/cairn/plugin.h" >"$scratch/untagged.h"
is "control: one that does not is found" "$(untagged "$scratch/untagged.h")" send

# ---- Every released header: layout and a plugin of each kind.
layout() {
    $CC -std=gnu11 -Wall -Wextra -Werror "-I$scratch/include/$1" -o "$scratch/layout-$1" "$abi/layout.c" &&
        "$scratch/layout-$1"
}
# Whatever stands in the first still stands in the second, where structures may be larger.
kept() {
    awk '$1 == "sizeof" && FILENAME == ARGV[1] { size[$2] = $3; next }
        $1 == "sizeof" { if ($3 < size[$2]) { print $2, "has shrunk from", size[$2], "to", $3 } delete size[$2]; next }
        FILENAME == ARGV[1] { line[$0] = 1; next }
        { delete line[$0] }
        END { for (gone in line) { print "changed: " gone } for (gone in size) { print "gone: " gone } }' "$1" "$2"
}
layout today >"$scratch/today.txt"
for frozen in "$abi"/[0-9]*/plugin.h; do
    version=$(basename "$(dirname "$frozen")")
    header "$version" "$frozen"
    ok "$version: its layout has no holes" layout "$version"
    cp "$scratch/.ok" "$scratch/$version.txt"
    is "$version: today's structures only grew at their end" "$(kept "$scratch/$version.txt" "$scratch/today.txt")" ""
    ok "$version: a plugin of each kind compiles" plugins "$scratch/$version" "$scratch/include/$version"
    runs "$version" "$scratch/$version"
done
sed 's/cairn_list.items at 8/cairn_list.items at 16/; s/sizeof cairn_map 24/sizeof cairn_map 16/' "$scratch/today.txt" \
    >"$scratch/other.txt"
is "control: a moved member and a shrunk structure are found" "$(kept "$scratch/today.txt" "$scratch/other.txt" | wc -l)" 2
major=$(sed -n 's/^#define CAIRN_ABI_MAJOR \([0-9]*\)$/\1/p' "$CAIRN_SRCDIR/include/cairn/plugin.h")
minor=$(sed -n 's/^#define CAIRN_ABI_MINOR \([0-9]*\)$/\1/p' "$CAIRN_SRCDIR/include/cairn/plugin.h")
# Comments may become better; whatever else changes after a release needs a new minor version.
without_comments() {
    $CC -fpreprocessed -dD -E -P "$1" 2>/dev/null
}
is "today's version has a frozen copy" "$(without_comments "$CAIRN_SRCDIR/include/cairn/plugin.h" | cksum)" \
    "$(without_comments "$abi/$major.$minor/plugin.h" | cksum)"
is "cairn.pc tells the version" "$(sed -n 's/^abi_\(major\|minor\)=//p' "$CAIRN_STAGE/lib/pkgconfig/cairn.pc" | tr '\n' ' ')" \
    "$major $minor "

# ---- A header of the future, whose structures have grown, for a plugin that asks for no newer host.
sed -e 's/^    void \*private_data; .*/&\n    void *later[4];/' -e 's/^    const void \*ops;  .*/&\n    void *later[4];/' \
    -e 's/^    const char \*help;  .*/&\n    void *later[4];/' \
    "$CAIRN_SRCDIR/include/cairn/plugin.h" >"$scratch/future.h"
header future "$scratch/future.h"
is "three structures have grown in it" "$(grep -c 'later\[4\]' "$scratch/future.h")" 3
sed 's/host->size >= sizeof(\*host) && //' "$abi/plugin.c" >"$scratch/plugin.c"
abi=$scratch
ok "a plugin of it compiles" plugins "$scratch/future" "$scratch/include/future" -Wno-missing-field-initializers
runs "future" "$scratch/future"
abi=$CAIRN_SRCDIR/tests/abi

# ---- Too new, too different: a sentence with both numbers, and no code of the plugin has run.
# refused WHAT FLAG SENTENCE
refused() {
    ok "$1: compiles" plugins "$scratch/refused" "$scratch/include/today" "$2"
    CAIRN_PLUGIN_PATH=$scratch/refused
    is "$1: cairn check refuses it" "$(status_of cairn check "$scratch/abi.yaml")" 78
    is "$1: for each kind" "$(grep -c "$3" "$scratch/err")" 5
}
refused "a newer minor version" "-DMINOR=$((minor + 1))" \
    "abi.so needs version $major.$((minor + 1)) of the plugin ABI, this Cairn has version $major.$minor"
refused "another major version" "-DMAJOR=$((major + 1))" \
    "abi.so needs version $((major + 1)).$minor of the plugin ABI, this Cairn has version $major.$minor"

done_testing
