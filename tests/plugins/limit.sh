#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# engine.limits.report: a minidump for which there is no room loses memory by priority, the crashed thread's
# stack last, and stays as clean as it was asked to be.
. "$CAIRN_SRCDIR/tests/lib.sh"

ok "the program is built" ${CC:-cc} -g -O1 -Wall -Werror -pthread -I"$CAIRN_STAGE/include" -o "$scratch/secretive" \
    "$CAIRN_SRCDIR/tests/plugins/sanitize.c" -L"$CAIRN_STAGE/lib" -Wl,-rpath,"$CAIRN_STAGE/lib" -lcairn
cat >"$scratch/cairn.yaml" <<END
version: 1
engine: { spool: $spool, limits: { free: 1MiB } }
writers:
  clean: { plugin: minidump, sanitize: true, output_limit: 30kB }
  plain: { plugin: minidump, output_limit: 30kB }
pipelines: { default: { writers: [clean, plain] } }
END
is "it dies of its true signal" "$(status_of "$scratch/secretive" "$scratch/cairn.yaml")" 139
ok "a report" wait_for 30 committed 1
folder=$(newest)
for name in clean plain; do
    ok "$name: fits" test "$(wc -c <"$folder/$name.dmp")" -le 30000
    has "$name: it is said what is missing" "$(field "$folder/report.json" notes)" "\"$name: [0-9]+ bytes of memory were left out"
done
is "nothing else stays" "$(ls "$folder" | grep -c capture)" 0
# count FILE TEXT: how often the bytes occur.
count() {
    grep -aobE "$2" "$1" | wc -l
}
ok "control: the plain one has the crashed thread's texts" test "$(count "$folder/plain.dmp" STACK-SECRET-)" -ge 1
is "the clean one has none" "$(count "$folder/clean.dmp" 'STACK-SE|SECRET-S|K-SECRET')" 0
is "registered memory stays" "$(count "$folder/clean.dmp" REGISTERED-TEXT)" "$(count "$folder/plain.dmp" REGISTERED-TEXT)"
ok "... there is some" test "$(count "$folder/clean.dmp" REGISTERED-TEXT)" -ge 1
if have_readers; then
    has "the crashed thread is walked" "$(stackwalk "$folder/clean.dmp")" '^ 1  secretive'
    has "minidump_dump reads it" "$(minidump_dump "$folder/clean.dmp")" '^MinidumpMemoryList'
fi
is "our own reader takes it" "$(status_of cairn process -c "$scratch/cairn.yaml" "$folder/clean.dmp")" 0

# ---- The whole report's limit: what is captured may have as much memory, and there is more in a minidump.
cat >"$scratch/small.yaml" <<END
version: 1
engine: { spool: $spool, limits: { report: 256KiB, free: 1MiB } }
writers: { dump: { plugin: minidump, memory: full } }
pipelines: { default: { writers: [dump] } }
END
cairn run -c "$scratch/small.yaml" --application small -- perl -e 'kill SEGV => $$; sleep 5' 2>/dev/null
ok "a small report" wait_for 30 sh -c "ls '$spool/small/delivered'/*/report.json"
folder=$(echo "$spool/small/delivered"/*)
is "it has a minidump, and not the captured one" "$(field "$folder/report.json" artifacts.0.name) $(ls "$folder" | grep -c capture)" "dump.dmp 0"
ok "... which fits" test "$(wc -c <"$folder/dump.dmp")" -le 262144
has "... after it lost something" "$(field "$folder/report.json" notes)" 'dump: [0-9]+ bytes of memory were left out'
if have_readers; then
    has "... and is read" "$(stackwalk "$folder/dump.dmp")" '^Crash reason:  SIGSEGV'
fi

done_testing
