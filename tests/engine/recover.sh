#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cairn-engine recover and import: what was left behind is finished, what cannot be is set aside, and the
# minidumps of other reporters take the same way.
. "$CAIRN_SRCDIR/tests/lib.sh"
. "$CAIRN_SRCDIR/tests/engine/fakes.sh"

config=$scratch/shop.yaml
cat >"$config" <<END
version: 1
engine: { spool: $spool }
writers: { dump: { plugin: minidump } }
transports: { upload: { plugin: fake, file: $control, log: $scratch/upload.log } }
pipelines: { default: { writers: [dump], transports: [upload] } }
END
echo deliver >"$control"

recover() {
    "$engine" recover --application-folder "$spool/shop" --config "$config"
}

# ---- Each kind of leftover.
captured=$(incoming) captured=${captured##*/}
young=$(incoming)
mv "$young/capture.dmp" "$young/capture.dmp.tmp"
old=$(incoming)
mv "$old/capture.dmp" "$old/capture.dmp.tmp"
touch -d '2 minutes ago' "$old/capture.dmp.tmp"
empty=$(incoming)
rm "$empty/capture.dmp"
touch -d '2 minutes ago' "$empty"
noise=$(incoming "$config")
unmoved=$(incoming)
cat >"$unmoved/report.json" <<END
{ "id": "${unmoved##*/}", "application": { "name": "shop", "version": null },
  "time": "2026-11-25T20:29:05.000000Z", "kind": "crash",
  "deliveries": [ { "transport": "upload", "state": "pending", "attempts": 0 } ] }
END
cp "$config" "$unmoved/configuration.yaml"
busy=$(incoming)
hold "$busy"

is "recover" "$(status_of recover)" 0
ok "a captured dump is finished and delivered" wait_for 10 test -f "$spool/shop/delivered/$captured/report.json"
ok "a capture in progress is left alone" test -f "$young/capture.dmp.tmp"
ok "one that was never completed is set aside" test -f "$spool/shop/quarantine/${old##*/}/capture.dmp.tmp"
ok "an empty folder is removed" test ! -e "$empty"
ok "noise is set aside" test -f "$spool/shop/quarantine/${noise##*/}/capture.dmp"
ok "a report that lacked only the move has moved" wait_for 10 test -f "$spool/shop/delivered/${unmoved##*/}/report.json"
ok "what somebody works on is left alone" test -f "$busy/capture.dmp"
let_go

# ---- Without --config: the configuration beside it.
own=$(incoming)
cp "$config" "$own/configuration.yaml"
CAIRN_CONFIG=$scratch/absent.yaml "$engine" recover --application-folder "$spool/shop" >/dev/null 2>&1
ok "a folder's own configuration is used" wait_for 10 test -f "$spool/shop/delivered/${own##*/}/report.json"
is "its pipeline" "$(field "$spool/shop/delivered/${own##*/}/report.json" pipeline)" default

# ---- An engine that is killed at any moment loses nothing.
made=
for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
    folder=$(incoming)
    made="$made ${folder##*/}"
    "$engine" report --folder "$folder" --config "$config" >/dev/null 2>&1 &
    killed=$!
    sleep "0.00$((i * 4 % 10))$i"
    kill -KILL "$killed" 2>/dev/null
    wait "$killed" 2>/dev/null
done
# A killed engine's plugins die with it, but not at once, and until then they hold the folder's lock:
# who recovers passes such a folder over, and the next one takes it. One that was killed between its commit
# and the start of a sender leaves the delivery to the next sender.
arrived() {
    recover >/dev/null 2>&1
    "$sender" --spool "$spool" --quiet >/dev/null 2>&1
    for made_id in $made; do
        test -f "$spool/shop/delivered/$made_id/report.json" || return 1
    done
}
ok "twelve killed engines: twelve reports" wait_for 15 arrived
is "nothing of them is left" "$(find "$spool/shop/incoming" -name '*.part')" ""

# ---- An engine that is ended from outside tells nothing of its report, one that crashes does.
cat >"$scratch/slow.yaml" <<END
version: 1
engine: { spool: $spool }
annotators: { slow: { plugin: fake, file: $control.slow, timeout: 15s } }
writers: { dump: { plugin: minidump } }
pipelines: { default: { annotators: [slow], writers: [dump] } }
END
at_work() {
    worker=$(pgrep -P "$recovering") && [ -n "$(pgrep -P "$worker")" ]
}
# ended SIGNAL: recover, whose engine gets it while it is at work on $ended.
ended() {
    ended=$(incoming) ended=${ended##*/}
    echo hang >"$control.slow"
    "$engine" recover --application-folder "$spool/shop" --config "$scratch/slow.yaml" >"$scratch/out" 2>&1 &
    recovering=$!
    wait_for 20 at_work
    rm "$control.slow"
    kill "-$1" "$worker"
    wait "$recovering"
}
ended KILL
ok "one that is killed, for want of memory say: it is tried again" test -f "$spool/shop/delivered/$ended/report.json"
ended TERM
ok "one that is told to end: its report waits" test -f "$spool/shop/incoming/$ended/capture.dmp"
recover >/dev/null 2>&1
ok "... for the next" wait_for 10 test -f "$spool/shop/delivered/$ended/report.json"
ended SEGV
ok "one that crashes: it is set aside" test -f "$spool/shop/quarantine/$ended/capture.dmp"

# ---- import
import() {
    "$engine" import --config "$config" "$@"
}
is "a text file is no minidump" "$(status_of import "$config")" 65
has "and it is said" "$(cat "$scratch/err")" "^cairn-engine: .*$config.*minidump"
is "a folder neither" "$(status_of import "$scratch")" 65
is "no such file" "$(status_of import "$scratch/absent")" 66
is "no file named" "$(status_of import)" 64
is "a minidump" "$(status_of import --wait --application 'my shop' --version 7 "$crash_dump")" 0
id=$(cat "$scratch/out")
has "its id is printed" "$id" '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-'
folder=$spool/my%20shop/delivered/$id
ok "--wait: it is delivered by then" test -f "$folder/dump.dmp"
is "application" "$(field "$folder/report.json" application.name)" "my shop"
is "version" "$(field "$folder/report.json" application.version)" 7
echo offline >"$control"
is "what cannot be delivered waits" "$(status_of import --wait --application 'my shop' "$crash_dump")" 75
ok "in pending/" test -d "$spool/my%20shop/pending/$(cat "$scratch/out")"

done_testing
