#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cairn-engine report: a captured minidump becomes a report. What fails on the way costs its own part and
# becomes a note; the commit is always reached; what the configuration drops is counted and gone.
. "$CAIRN_SRCDIR/tests/lib.sh"
. "$CAIRN_SRCDIR/tests/engine/fakes.sh"

# configuration FILE PIPELINE-LINES...
configuration() {
    file=$1
    shift
    cat >"$file" <<END
version: 1
application: { version: "2.5" }
engine: { spool: $spool, clocks: { pipeline: ${clock:-20s} } }
filters:
  early: { plugin: fake, log: $scratch/filters.log, file: $control.early }
  stacked: { plugin: fake, log: $scratch/filters.log, stack: true }
  late: { plugin: fake, log: $scratch/filters.log, report: true }
annotators:
  first: { plugin: fake, file: $control.first, timeout: 30s }
  strict: { plugin: fake, act: fail, on_error: drop }
writers:
  dump: { plugin: minidump }
  summary: { plugin: text }
  report: { plugin: fake }
  list: { plugin: fake }
  broken: { plugin: fakedump, act: fail }
  none: { plugin: fake, act: nothing }
hooks:
  tell: { plugin: fake, log: $scratch/hooks.log, file: $control.tell }
transports:
  upload: { plugin: fake, act: deliver, log: $scratch/upload.log }
pipelines:
  default:
$(printf '    %s\n' "$@")
END
}
config=$scratch/shop.yaml

# ---- A plain report.
configuration "$config" "writers: [dump, summary]"
process "$config"
is "it is answered" "$answer" "committed delivered"
is "its folder is in delivered/" "$folder" "$spool/shop/delivered/$id"
ok "report.json is JSON" python3 -m json.tool "$folder/report.json"
is "id" "$(field "$folder/report.json" id)" "$id"
is "application" "$(field "$folder/report.json" application.name)" shop
is "version, of the configuration" "$(field "$folder/report.json" application.version)" 2.5
is "pipeline" "$(field "$folder/report.json" pipeline)" default
is "signal" "$(field "$folder/report.json" crash.signal)" SIGSEGV
has "signature" "$(field "$folder/report.json" signature)" '^[0-9a-f]{32}$'
is "the crashed function" "$(field "$folder/report.json" frames.0.symbol)" crash_now
is "its caller" "$(field "$folder/report.json" frames.1.symbol)" main
is "found by" "$(field "$folder/report.json" frames.1.trust)" cfi
is "nothing is missing" "$(notes)" "[]"
is "what the folder holds" "$(ls "$folder" | tr '\n' ' ')" "configuration.yaml dump.dmp report.json summary.txt "
ok "configuration.yaml is what it was made with" cmp "$config" "$folder/configuration.yaml"
is "the artifact's digest" "$(field "$folder/report.json" artifacts.0.sha256)" \
    "$(sha256sum "$folder/dump.dmp" | cut -d' ' -f1)"
is "modes" "$(stat -c %a "$folder" "$folder"/* | sort -u | tr '\n' ' ')" "600 700 "
is "timings" "$(python3 -c '
import json, sys
print(all(key in json.load(open(sys.argv[1]))["timings"] for key in ("stack_walk_us", "writers_us", "pipeline_us")))
' "$folder/report.json")" True
signature=$(field "$folder/report.json" signature)
process "$config"
is "the same crash has the same signature" "$(field "$folder/report.json" signature)" "$signature"

# ---- The frames without the program's file: by scanning, without symbols.
victim=$CAIRN_BUILDDIR/tests/crash/dump_victim
cp "$victim" "$scratch/gone"
"$scratch/gone" crash "$scratch/gone.dmp" 2 >/dev/null 2>&1
rm "$scratch/gone"
process "$config" "$scratch/gone.dmp"
is "a file that is gone: the frame has its module" "$(field "$folder/report.json" frames.0.module)" gone
is "and no symbol" "$(field "$folder/report.json" frames.0.symbol)" -
has "callers are still found" "$(field "$folder/report.json" frames.1.trust)" '^(scan|frame-pointer)$'
cp "$victim" "$scratch/gone"
printf 'x' | dd of="$scratch/gone" bs=1 seek=4096 conv=notrunc 2>/dev/null
objcopy --remove-section .note.gnu.build-id "$scratch/gone" 2>/dev/null || : >"$scratch/gone"
process "$config" "$scratch/gone.dmp"
is "another file at its place is not believed" "$(field "$folder/report.json" frames.0.symbol)" -

# ---- A transport makes it wait, and a sender is started.
configuration "$config" "writers: [dump]" "transports: [upload]"
process "$config"
is "with a transport" "$answer" "committed pending"
ok "the sender delivers it" wait_for 10 test -d "$spool/shop/delivered/$id"
is "its id there" "$(field "$spool/shop/delivered/$id/report.json" deliveries.0.server_id)" server-1

# ---- The configuration as a descriptor, which the sender inherits.
folder=$(incoming)
id=${folder##*/}
is "from a descriptor" "$("$engine" report --folder "$folder" --config-fd 7 --version 3 7<"$config")" "committed pending"
ok "it is delivered, too" wait_for 10 test -d "$spool/shop/delivered/$id"
is "a version that is named" "$(field "$spool/shop/delivered/$id/report.json" application.version)" 3

# ---- The lock that the monitor hands over.
folder=$(incoming)
id=${folder##*/}
is "with its lock" "$(flock "$folder" true; exec 5<"$folder"; flock -n 5; "$engine" report --folder "$folder" \
    --lock-fd 5 --config "$config")" "committed pending"
ok "which does not keep the sender out" wait_for 10 test -d "$spool/shop/delivered/$id"
folder=$(incoming)
hold "$folder"
is "a folder that somebody else works on" "$(status_of "$engine" report --folder "$folder" --config "$config")" 75
let_go

# ---- Filters: each once, at the stage that its options need; a drop ends it.
configuration "$config" "filters: [late, stacked, early]" "annotators: [first]" "writers: [dump]"
process "$config"
is "filters by stage" "$(cat "$scratch/filters.log")" "early signature=0 attribute=0
stacked signature=1 attribute=0
late signature=1 attribute=1"
is "the annotator's attribute" "$(field "$folder/report.json" attributes.fake)" yes
has "and its note" "$(notes)" 'first: The annotator was here\.'
echo drop >"$control.early"
: >"$scratch/filters.log"
process "$config"
is "dropped" "$answer" "dropped"
ok "its folder is gone" test ! -e "$spool/shop/incoming/$id"
is "it is counted" "$(field "$spool/shop/drops.json" early)" 1
is "later filters were not asked" "$(cat "$scratch/filters.log")" "early signature=0 attribute=0"
rm "$control.early"

# ---- No pipeline matches.
configuration "$config" "match: { exe: /usr/bin/other }" "writers: [dump]"
process "$config"
is "no pipeline: dropped" "$answer" "dropped"
is "and counted" "$(field "$spool/shop/drops.json" no-pipeline)" 1

# ---- A plugin that crashes, and one without which the report must not be.
configuration "$config" "annotators: [first]" "writers: [dump]"
echo crash >"$control.first"
process "$config"
is "a crashing annotator: committed" "$answer" "committed delivered"
has "with a note" "$(notes)" 'annotator .*first.* SIGABRT'
rm "$control.first"
configuration "$config" "annotators: [strict]" "writers: [dump]"
process "$config"
is "on_error: drop" "$answer" "dropped"

# ---- Writers: names that are taken, earlier artifacts, nothing, failure.
configuration "$config" "writers: [dump, report, none, list]"
process "$config"
is "a name of Cairn's own is not given away" "$(field "$folder/report.json" artifacts.1.name)" report-2.json
is "writers see what is there" "$(cat "$folder/list.json")" '["dump.dmp", "report-2.json"]'
is "nothing is no artifact and no note" "$(field "$folder/report.json" artifacts.3.name) $(notes)" "- []"
configuration "$config" "writers: [broken]"
process "$config"
is "no minidump could be written: the captured one stays" "$(field "$folder/report.json" artifacts.0.name)" capture.dmp
ok "as it was" cmp "$crash_dump" "$folder/capture.dmp"
has "and it is said" "$(notes)" 'writer .*broken.*It was told to fail'

# ---- The pipeline's clock.
clock=3s configuration "$config" "annotators: [first]" "writers: [dump]"
echo hang >"$control.first"
began=$(date +%s%N)
process "$config"
took=$((($(date +%s%N) - began) / 1000000))
is "a hanging annotator: committed" "$answer" "committed delivered"
ok "before the plugin's own 30 s are over ($took ms)" test "$took" -lt 25000
has "it is said who hung" "$(notes)" 'annotator .*first.* did not finish'
has "and what was skipped" "$(notes)" 'writer .*dump.* was skipped'
ok "the minidump is there all the same" cmp "$crash_dump" "$folder/capture.dmp"
rm "$control.first"

# ---- The configuration turned bad since the start.
configuration "$config" "writers: [dmup]"
process "$config"
is "a bad configuration: committed" "$answer" "committed delivered"
ok "with the minidump" cmp "$crash_dump" "$folder/capture.dmp"
has "and what is wrong" "$(notes)" 'dmup'
is "the stack is walked" "$(field "$folder/report.json" frames.0.symbol)" crash_now

# ---- Hooks run after the commit and may add to the report.
configuration "$config" "writers: [dump]" "hooks: [tell]"
process "$config"
is "the hook saw the committed report" "$(cat "$scratch/hooks.log")" "$folder"
is "and added to it" "$(field "$folder/report.json" attributes.hook)" yes
echo fail >"$control.tell"
process "$config"
is "a failing hook" "$answer" "committed delivered"
has "is a note" "$(notes)" 'hook .*tell.* It was told to fail'

# ---- Attachments: with the program's rights, regular files only, bounded.
echo "log line" >"$scratch/shop.log"
mkfifo "$scratch/pipe"
ln -s "$scratch/shop.log" "$scratch/link"
truncate -s 11M "$scratch/large"
python3 - "$crash_dump" "$scratch/attach.dmp" "$scratch/shop.log" "$scratch/pipe" "$scratch/link" "$scratch/large" \
    "$scratch/absent" "$scratch/shop.log" <<'END'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
count, directory = struct.unpack_from("<II", data, 8)
for i in range(count):
    kind, size, offset = struct.unpack_from("<III", data, directory + 12 * i)
    if kind == 0x43524e01:
        records = bytes(data[offset:offset + size])
        for path in sys.argv[3:]:
            text = path.encode()
            records += struct.pack("<II", 7, len(text)) + text + b"\0" * (-len(text) % 4)
        struct.pack_into("<II", data, directory + 12 * i + 4, len(records), len(data))
        data += records
open(sys.argv[2], "wb").write(data)
END
configuration "$config" "writers: [dump]"
process "$config" "$scratch/attach.dmp"
is "an attached file" "$(cat "$folder/attachment_shop.log")" "log line"
is "is an artifact" "$(field "$folder/report.json" artifacts.0.name)" attachment_shop.log
has "a FIFO is refused" "$(notes)" 'pipe is not a regular file'
has "a link is refused" "$(notes)" 'link cannot be opened'
has "a large file is refused" "$(notes)" 'large has more than 10 MiB'
has "an absent file is noted" "$(notes)" 'absent cannot be opened'

# ---- Not a minidump.
head -c 4096 /dev/urandom >"$scratch/noise"
process "$config" "$scratch/noise"
is "noise: no answer" "$answer" ""
is "it is set aside" "$folder" "$spool/shop/quarantine/$id"
head -c 700 "$crash_dump" >"$scratch/short"
process "$config" "$scratch/short"
ok "a dump cut short is taken or set aside, not lost" test -d "$folder"

is "nothing is left in incoming/ but what was busy" "$(ls "$spool/shop/incoming" | wc -l)" 1
done_testing
