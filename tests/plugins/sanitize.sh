#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The minidump writer's stack sanitiser, on a real crash: what was on the stacks is gone, and every reader
# walks them as before. The same dump unsanitised is the control.
. "$CAIRN_SRCDIR/tests/lib.sh"

ok "the program is built" ${CC:-cc} -g -O1 -Wall -Werror -pthread -I"$CAIRN_STAGE/include" -o "$scratch/secretive" \
    "$CAIRN_SRCDIR/tests/plugins/sanitize.c" -L"$CAIRN_STAGE/lib" -Wl,-rpath,"$CAIRN_STAGE/lib" -lcairn
cat >"$scratch/cairn.yaml" <<END
version: 1
engine: { spool: $spool }
writers:
  plain: { plugin: minidump }
  clean: { plugin: minidump, sanitize: true }
pipelines: { default: { writers: [plain, clean] } }
END
is "it dies of its true signal" "$(status_of "$scratch/secretive" "$scratch/cairn.yaml")" 139
ok "a report" wait_for 30 committed 1
folder=$(newest)
plain=$folder/plain.dmp
clean=$folder/clean.dmp
is "it says where the registered memory was" \
    "$(field "$folder/report.json" attributes | grep -c '"region.notes": "0x[0-9a-f]*, 256 bytes"')" 1

# count FILE TEXT: how often the bytes occur.
count() {
    grep -aobE "$2" "$1" | wc -l
}
ok "control: the plain dump has the texts of both threads" test "$(count "$plain" STACK-SECRET-)" -ge 8
is "the clean one has none, nor a piece of one" "$(count "$clean" 'STACK-SE|SECRET-S|K-SECRET')" 0
number='\x00\x00\xe7\xc4\x5e\xe7\xc4\x5e'
ok "control: and the number" test "$(LC_ALL=C grep -aobP "$number" "$plain" | wc -l)" -ge 2
is "... it has not, either" "$(LC_ALL=C grep -aobP "$number" "$clean" | wc -l)" 0
is "registered memory stays" "$(count "$clean" REGISTERED-TEXT)" "$(count "$plain" REGISTERED-TEXT)"
is "the size stays" "$(wc -c <"$clean")" "$(wc -c <"$plain")"

# frames DUMP: each thread's frames, as minidump_stackwalk finds them.
frames() {
    stackwalk "$1" | grep -E '^(Thread| *[0-9]+  )'
}
if have_readers; then
    has "control: minidump_stackwalk finds the caller" "$(frames "$plain")" '^ 1  secretive'
    is "it walks the clean one's threads the same" "$(frames "$clean")" "$(frames "$plain")"
    has "minidump_dump reads it" "$(minidump_dump "$clean")" ^MDException
fi
if command -v lldb >/dev/null; then
    lldb -b -o 'bt all' --core "$clean" "$scratch/secretive" >"$scratch/lldb" 2>&1
    for function in crash_here 'hold_secrets(.*)' main rest run; do
        has "LLDB walks past $function" "$(cat "$scratch/lldb")" "$function"
    done
fi
cat >"$scratch/again.yaml" <<END
version: 1
application: { name: again }
engine: { spool: $spool }
writers: { summary: { plugin: text } }
pipelines: { default: { writers: [summary] } }
END
ok "our own walk of it" cairn process -c "$scratch/again.yaml" "$clean"
again=$(find "$spool/again" -name report.json)
is "... finds the same functions" "$(field "$again" frames | grep -o '"symbol": "[^"]*"')" \
    "$(field "$folder/report.json" frames | grep -o '"symbol": "[^"]*"')"
has "... up to main" "$(field "$again" frames)" '"symbol": "main"'

sed 's/sanitize: true/sanitize: true, memory: full/' "$scratch/cairn.yaml" >"$scratch/full.yaml"
is "full memory cannot be sanitised" "$(status_of cairn check "$scratch/full.yaml")" 78
has "... and the sentence says why" "$(cat "$scratch/err" "$scratch/out")" 'full.yaml:5:.*sanitize.*memory: full'
done_testing
