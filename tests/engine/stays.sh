#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What could not be reduced does not leave: a minidump writer that fails costs the minidump's delivery, never
# privacy. The captured file stays in the report's folder, and no hook, no transport and no preview has it.
. "$CAIRN_SRCDIR/tests/lib.sh"

cat >"$scratch/shop.yaml" <<END
version: 1
engine: { spool: $spool, limits: { free: 1MiB } }
writers:
  dump: { plugin: minidump, sanitize: true, output_limit: 1KiB }
  good: { plugin: minidump, sanitize: true }
hooks:
  tell: { plugin: exec, command: [/bin/sh, -c, 'echo "minidump=\$CAIRN_REPORT_MINIDUMP" >$scratch/told'] }
  reporter: { plugin: launch_reporter, program: $scratch/reporter }
transports:
  copy: { plugin: directory, path: $scratch/copies }
pipelines:
  good: { match: { application: [good] }, writers: [dump, good], hooks: [tell], transports: [copy] }
  default: { writers: [dump], hooks: [tell, reporter], transports: [copy] }
END

printf '#!/bin/sh\ncp "$1" %s.part && mv %s.part %s\n' "$scratch/records" "$scratch/records" "$scratch/records" >"$scratch/reporter"
chmod +x "$scratch/reporter"

# crash APPLICATION: a report of a program with something on its stack and in its environment.
crash() {
    NOBODYS_BUSINESS=5ec7e75ec7e7 cairn run -c "$scratch/shop.yaml" --application "$1" -- \
        perl -e 'kill SEGV => $$; sleep 5' 2>/dev/null
    ok "$1: delivered" wait_for 20 sh -c "ls '$spool/$1'/delivered/*/report.json"
    wait_for 20 idle # hooks run meanwhile
    folder=$(echo "$spool/$1"/delivered/*)
}
artifacts() {
    python3 -c '
import json, sys
for artifact in json.load(open(sys.argv[1] + "/report.json"))["artifacts"]:
    print(artifact["name"], artifact.get("stays", False))' "$1"
}

crash bad
is "the writer failed: the captured minidump stays" "$(artifacts "$folder")" "capture.dmp True"
ok "control: what must not leave is in it" grep -aq 5ec7e75ec7e7 "$folder/capture.dmp"
has "the report says so" "$(field "$folder/report.json" notes)" 'capture\.dmp is as it was captured.* it stays on this machine'
has "... and why" "$(field "$folder/report.json" notes)" 'writer .*dump.* 1024 bytes'
has "cairn show says so" "$(cairn show -c "$scratch/shop.yaml" --application bad latest)" '^  capture\.dmp .*, stays here$'
ok "the transport had the rest" wait_for 10 test -f "$scratch/copies/${folder##*/}/report.json"
is "and nothing of the minidump" "$(find "$scratch/copies" -name '*.dmp')" ""
cairn show -c "$scratch/shop.yaml" --application bad --as-sent copy latest >"$scratch/shown"
has "the preview has a report" "$(cat "$scratch/shown")" '^  report\.json '
is "... and nothing of the minidump" "$(grep -c '^  capture\.dmp' "$scratch/shown")" 0
is "nor has a hook" "$(cat "$scratch/told")" "minidump="
ok "nor has a reporter: it is started" wait_for 10 test -s "$scratch/records"
is "... without the file" "$(grep -c 'capture\.dmp\|^CairnMinidump' "$scratch/records")" 0
ok "on this machine it can be read" cairn process -c "$scratch/shop.yaml" --application again "$folder/capture.dmp"

crash good
is "another writer succeeded: its artifact leaves, the captured file does not" "$(artifacts "$folder")" "good.dmp False
capture.dmp True"
ok "the copy" wait_for 10 test -f "$scratch/copies/${folder##*/}/good.dmp"
is "has no more" "$(find "$scratch/copies/${folder##*/}" -name '*.dmp')" "$scratch/copies/${folder##*/}/good.dmp"
is "and no secret" "$(grep -rlc 5ec7e75ec7e7 "$scratch/copies")" ""
is "hooks see that one" "$(sed 's,.*/,,' "$scratch/told")" good.dmp

done_testing
