#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The C API through the whole chain: a program that embeds libcairn, shared and static, says all that can be said,
# crashes or asks for a dump; everything it said is in the report.
. "$CAIRN_SRCDIR/tests/lib.sh"

build="${CC:-cc} -g -O1 -Wall -Werror -I$CAIRN_STAGE/include"
ok "it compiles as C11 against the installed header" $build -std=gnu11 -o "$scratch/shared" \
    "$CAIRN_SRCDIR/tests/crash/embed.c" -L"$CAIRN_STAGE/lib" -Wl,-rpath,"$CAIRN_STAGE/lib" -lcairn
ok "... and links statically, without the preload's limits" $build -std=gnu11 -static -o "$scratch/static" \
    "$CAIRN_SRCDIR/tests/crash/embed.c" "$CAIRN_STAGE/lib/libcairn.a"
printf '#include <cairn/cairn.h>\n#include <cairn/plugin.h>\n' >"$scratch/header.c"
ok "the headers are clean C11" ${CC:-cc} -std=c11 -pedantic -Wall -Wextra -Werror -I"$CAIRN_STAGE/include" -fsyntax-only "$scratch/header.c"
ok "... and clean C++17" g++ -x c++ -std=c++17 -pedantic -Wall -Wextra -Werror -I"$CAIRN_STAGE/include" -fsyntax-only "$scratch/header.c"

cat >"$scratch/cairn.yaml" <<END
version: 1
engine: { spool: $spool }
annotators: { crumbs: { plugin: breadcrumbs } }
writers: { dump: { plugin: minidump } }
pipelines: { default: { annotators: [crumbs], writers: [dump] } }
END
printf 'what the log said\n' >"$scratch/shop.log"

# run BINARY KIND: its status and output; afterwards the report.
run() {
    "$scratch/$1" "$scratch/cairn.yaml" "$2" "$scratch/shop.log" >"$scratch/out" 2>&1
    status=$?
}

count=0
for binary in shared static; do
    run $binary crash
    count=$((count + 1))
    is "$binary: it dies of its true signal" "$status" 139
    ok "$binary: a report" wait_for 30 committed $count
    folder=$(newest)
    report=$folder/report.json
    is "$binary: application and version from the API" "$(field "$report" application.name) $(field "$report" application.version)" "shop 1.2.3"
    is "$binary: the crashing function" "$(field "$report" frames.0.symbol)" crash_here
    is "$binary: its caller" "$(field "$report" frames.1.symbol)" main
    is "$binary: the module is the program" "$(field "$report" frames.0.module)" $binary
    is "$binary: with its build id" "$(field "$report" frames.0.build_id)" \
        "$(readelf -n "$scratch/$binary" | sed -n 's/.*Build ID: //p')"
    if have_readers; then
        has "$binary: stackwalk agrees on module and offset" "$(stackwalk "$folder/dump.dmp")" \
            "^ 0  $binary \\+ $(field "$report" frames.0.module_offset)"
    fi
done
is "a string" "$(field "$report" attributes | grep -o '"shop.region": "[^"]*"')" '"shop.region": "eu-1"'
attributes() {
    python3 -c 'import json,sys; print(repr(json.load(open(sys.argv[1]))["attributes"].get(sys.argv[2])))' "$report" "$1"
}
is "a string that replaced another" "$(attributes shop.note)" "'an \"é\" and a\\nnew line'"
is "an integer" "$(attributes shop.orders)" -42
is "a double" "$(attributes shop.load)" 0.25
is "a bool" "$(attributes shop.open)" True
is "an unset one is gone" "$(attributes shop.gone)" None
is "breadcrumbs in order" "$(field "$report" breadcrumbs.0.message) $(field "$report" breadcrumbs.1.message)" "taken paid"
attached=$(find "$folder" -name '*shop.log*')
ok "the attached file is an artifact" cmp "$attached" "$scratch/shop.log"
has "the one that does not exist is a note" "$(field "$report" notes)" '/nonexistent/file'
ok "the registered memory is in the dump" grep -q 'the memory that was registered' "$folder/dump.dmp"
if command -v lldb >/dev/null; then
    has "LLDB walks from the crash to main" "$(timeout 60 lldb --batch -c "$folder/dump.dmp" "$scratch/static" -o bt 2>&1)" 'crash_here'
fi

run shared request
count=$((count + 1))
is "cairn_dump(): the program goes on" "$status" 0
id=$(sed -n 's/^0 //p' "$scratch/out")
ok "... its report is committed" wait_for 30 committed $count
report=$(newest)/report.json
is "... under the id that was returned" "$(field "$report" id)" "$id"
is "... of kind request" "$(field "$report" kind)" request
is "... with the message" "$(field "$report" crash.message)" "the program asked"
has "... and main on the stack" "$(cat "$report")" '"symbol": *"main"'

run shared post-dump
count=$((count + 1))
ok "with a post-dump callback: a report" wait_for 30 committed $count
is "... which was told the id" "$(head -n 1 "$scratch/out" | cut -d" " -f1-4)" "post-dump 11 1 $(basename "$(newest)")"

run shared filter
is "the filter says no: the true signal" "$status" 139
run shared stopped
is "after cairn_stop(): the true signal" "$status" 139
wait_for 20 idle
is "... and neither made a report" "$(find "$spool" -name report.json | wc -l)" $count

sed 's/plugin: minidump/plugin: minidmp/' "$scratch/cairn.yaml" >"$scratch/bad.yaml"
"$scratch/shared" "$scratch/bad.yaml" crash >"$scratch/out" 2>&1
is "a bad configuration: cairn_start fails" "$?" 2
has "... with its code in words" "$(cat "$scratch/out")" '^-4 the configuration has problems'
has "... and file, line and column" "$(cat "$scratch/out")" '/bad\.yaml:4:[0-9]+: writers\.dump\.plugin: .*minidmp'
has "... and leaves the program untouched" "$(cat "$scratch/out")" '^untouched$'

# ---- A process that has no Cairn in it, whose file is deleted meanwhile; and a static one.
printf '#include <unistd.h>\nint main(void) { pause(); return 0; }\n' >"$scratch/pause.c"
for link in dynamic static; do
    ${CC:-cc} -g $([ $link = static ] && echo -static) -o "$scratch/pause-$link" "$scratch/pause.c"
    id_wanted=$(readelf -n "$scratch/pause-$link" | sed -n 's/.*Build ID: //p')
    "$scratch/pause-$link" &
    pid=$!
    started="$started $pid"
    wait_for 5 grep -q "pause-$link" "/proc/$pid/comm"
    rm "$scratch/pause-$link"
    id=$(cairn dump -c "$scratch/cairn.yaml" "$pid")
    shown=$(cairn show --spool "$spool" --json "$id")
    has "a deleted $link executable: its build id" "$shown" "\"build_id\": *\"$id_wanted\"|pause-$link"
    if have_readers; then
        path=$(find "$spool" -name "$id" -type d)
        has "... is in the dump's module list" "$(minidump_dump "$path/dump.dmp" | tr -d ' ')" "$(echo "$id_wanted" | cut -c1-8)|pause-$link"
    fi
    kill "$pid"
done

done_testing
