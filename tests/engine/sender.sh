#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cairn-sender: every attempt is on record, outcomes are told apart, waiting has rules, and a sender may be
# killed at any moment.
. "$CAIRN_SRCDIR/tests/lib.sh"
. "$CAIRN_SRCDIR/tests/engine/fakes.sh"

config=$scratch/shop.yaml
log=$scratch/upload.log
cat >"$config" <<END
version: 1
engine: { spool: $spool }
transports:
  upload: { plugin: fake, file: $control, log: $log, token: se5am0pen, timeout: 30s }
  second: { plugin: fake, act: deliver }
pipelines: { default: { transports: [upload] } }
END

# pending [TRANSPORT...]: a report that waits; its id.
pending() {
    waiting=$(incoming)
    pending_id=${waiting##*/}
    rm "$waiting/capture.dmp"
    cp "$config" "$waiting/configuration.yaml"
    deliveries=
    for transport in "${@:-upload}"; do
        deliveries="$deliveries${deliveries:+,} { \"transport\": \"$transport\", \"state\": \"pending\", \"attempts\": 0 }"
    done
    cat >"$waiting/report.json" <<END
{ "id": "$pending_id", "application": { "name": "shop", "version": null },
  "time": "2026-11-25T20:29:05.000000Z", "kind": "crash", "deliveries": [ $deliveries ] }
END
    mv "$waiting" "$spool/shop/pending/"
    echo "$pending_id"
}

send() {
    "$sender" --spool "$spool" "$@"
}

# unlocked ID: a sender that was killed leaves its step behind for a moment, which holds its locks.
unlocked() {
    flock -n "$spool/shop/sender.lock" true && flock -n "$spool/shop/pending/$1" true
}

# delivery ID FIELD [INDEX]
delivery() {
    field "$spool/shop/$(ls -d "$spool"/shop/*/"$1" | sed 's,.*/\([a-z]*\)/[^/]*$,\1,')/$1/report.json" "deliveries.${3:-0}.$2"
}

is "an empty spool" "$(status_of send)" 0

# ---- Delivered.
id=$(pending upload second)
echo deliver >"$control"
is "a delivery" "$(status_of send --progress)" 0
is "what is printed" "$(cat "$scratch/out")" "$id upload delivered (id server-1)
$id second delivered (id server-1)"
ok "the folder moved" test -d "$spool/shop/delivered/$id"
is "state" "$(delivery "$id" state)" delivered
is "the server's id" "$(delivery "$id" server_id)" server-1
is "attempts" "$(delivery "$id" attempts)" 1

# ---- The server is not there.
first=$(pending)
sleep 0.01
id=$(pending second upload)
: >"$log"
echo offline >"$control"
is "offline: something waits" "$(status_of send --progress)" 75
is "oldest first, and the others are spared" "$(cat "$log")" "$first attempt 1"
has "it is printed" "$(cat "$scratch/out")" "^$first upload waits, next attempt in [0-9]+ s: The server said offline"
is "a transport that is there delivers" "$(delivery "$id" state)" delivered
ok "the report waits for the other" test -d "$spool/shop/pending/$id"
has "with a next time" "$(delivery "$first" next)" '^20'
has "and an error" "$(delivery "$first" error)" 'The server said offline to the token \(hidden\)\.'
is "no token in the report" "$(grep -l se5am0pen "$spool/shop/pending/$first/report.json")" ""
is "not due yet: nothing is tried" "$(status_of send --id "$first") $(wc -l <"$log")" "0 1"
echo deliver >"$control"
is "--now: all are" "$(status_of send --now)" 0
is "the second attempt of the first" "$(delivery "$first" attempts)" 2
is "the first of the other" "$(delivery "$id" attempts 1)" 1
is "nothing waits" "$(ls "$spool/shop/pending")" ""

# ---- The server says when, or never.
id=$(pending)
echo busy >"$control"
is "busy" "$(status_of send)" 75
is "response code" "$(delivery "$id" response_code)" 429
is "not before the time it named" "$(python3 -c '
import datetime, sys
next = datetime.datetime.fromisoformat(sys.argv[1].replace("Z", "+00:00"))
print((next - datetime.datetime.now(datetime.timezone.utc)).total_seconds() > 7100)
' "$(delivery "$id" next)")" True
echo reject >"$control"
is "rejected: nothing waits" "$(status_of send --now --progress)" 0
has "it is printed" "$(cat "$scratch/out")" "^$id upload rejected: "
is "state" "$(delivery "$id" state)" rejected
ok "the report is kept" test -d "$spool/shop/delivered/$id"

# ---- It gives up after ten attempts.
id=$(pending)
sed -i 's/"attempts": 0/"attempts": 9/' "$spool/shop/pending/$id/report.json"
echo crash >"$control"
is "the tenth attempt" "$(status_of send)" 0
has "is the last" "$(delivery "$id" state) $(delivery "$id" error)" '^rejected Given up after 10 attempts: .*SIGABRT'

# ---- Killed in the middle.
id=$(pending)
echo hang >"$control"
: >"$log"
"$sender" --spool "$spool" &
killed=$!
ok "the transport hangs" wait_for 10 test -s "$log"
is "the attempt is on record" "$(delivery "$id" attempts)" 1
kill -KILL "$killed"
wait "$killed" 2>/dev/null
echo deliver >"$control"
wait_for 20 unlocked "$id"
is "the next sender delivers" "$(status_of send)" 0
is "state" "$(delivery "$id" state)" delivered
is "attempts" "$(delivery "$id" attempts)" 2

# ---- One at a time.
id=$(pending)
echo hang >"$control"
: >"$log"
"$sender" --spool "$spool" >/dev/null 2>&1 &
first_sender=$!
wait_for 10 test -s "$log"
is "a second sender leaves at once" "$(status_of send)" 0
is "and tried nothing" "$(wc -l <"$log")" 1
kill -KILL "$first_sender"
wait "$first_sender" 2>/dev/null
echo deliver >"$control"
wait_for 20 unlocked "$id"
send --now

# ---- Configurations.
id=$(pending vanished)
is "a transport that the configuration has no more" "$(status_of send)" 75
has "is said" "$(delivery "$id" error)" 'no transport vanished'
is "and counts no attempt" "$(delivery "$id" attempts)" 0
sed 's/second:/vanished:/' "$config" >"$scratch/other.yaml"
is "a configuration that has it" "$(status_of "$sender" --config "$scratch/other.yaml")" 0
is "delivers it" "$(delivery "$id" state)" delivered
id=$(pending)
echo 'versoin: 1' >"$spool/shop/pending/$id/configuration.yaml"
is "a report whose configuration is bad" "$(status_of send)" 78
has "says so" "$(delivery "$id" error)" 'made with has problems: .*versoin'
is "a bad configuration that is named" "$(status_of "$sender" --config "$spool/shop/pending/$id/configuration.yaml")" 78
is "a good one helps" "$(status_of "$sender" --config "$config")" 0

# ---- Damage.
id=$(pending)
echo '{ "id": ' >"$spool/shop/pending/$id/report.json"
status_of send >/dev/null
ok "a report that cannot be read is set aside" test -f "$spool/shop/quarantine/$id/report.json"
id=$(pending)
sed -i 's/"pending"/"delivered"/' "$spool/shop/pending/$id/report.json"
is "a move that was missed" "$(status_of send)" 0
ok "is made up for" test -d "$spool/shop/delivered/$id"
is "wrong usage" "$(status_of send --id nonsense)" 64

done_testing
