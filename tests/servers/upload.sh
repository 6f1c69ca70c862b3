#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Delivery to a real HTTPS server process: every part of the request, a refused certificate, an unreachable server,
# a server that is busy first, a sender that is killed. A report once on disk is never lost.
. "$CAIRN_SRCDIR/tests/lib.sh"

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost \
    -keyout "$scratch/key.pem" -out "$scratch/cert.pem" 2>/dev/null

# receiver NAME ARGUMENT...: starts one; its port is in $port.
receiver() {
    name=$1
    shift
    : >"$scratch/$name.out"
    /usr/bin/python3 "$CAIRN_SRCDIR/tests/servers/receiver.py" --folder "$scratch/$name" --port 0 \
        --lifetime 300 "$@" >"$scratch/$name.out" 2>"$scratch/$name.log" &
    receiver_pid=$!
    started="$started $receiver_pid"
    wait_for 10 grep -q '[0-9]' "$scratch/$name.out"
    port=$(grep -oE '[0-9]+' "$scratch/$name.out" | head -n 1)
}

# configuration FILE TRANSPORT-LINES...
configuration() {
    file=$1
    shift
    cat >"$file" <<END
version: 1
application: { name: shop, version: "1.2" }
engine: { spool: $spool }
annotators:
  build: { plugin: static, values: { team: payments, note: "a \"quoted\" value; é" } }
writers:
  dump: { plugin: minidump }
  summary: { plugin: text }
transports:
  upload:
$(printf '    %s\n' "$@")
pipelines:
  default: { annotators: [build], writers: [dump, summary], transports: [upload] }
END
}

crash() {
    cairn run -c "$1" -- perl -e 'kill SEGV => $$; sleep 5' >/dev/null 2>&1
}

# ---- Everything arrives.
receiver good --tls "$scratch/cert.pem" "$scratch/key.pem"
configuration "$scratch/good.yaml" "plugin: breakpad" "url: https://localhost:$port/submit" \
    "ca_file: cert.pem" "attachments: true" "fields: { channel: beta }"
crash "$scratch/good.yaml"
ok "the report is delivered" wait_for 60 delivered 1
folder=$(newest)
report=$folder/report.json
is "delivery state" "$(field "$report" deliveries.0.state)" delivered
is "response code" "$(field "$report" deliveries.0.response_code)" 200
is "attempts" "$(field "$report" deliveries.0.attempts)" 1

# part FOLDER NAME: the stored file of the part with that name.
part() {
    find "$1" -name "[0-9][0-9][0-9]-$2" | head -n 1
}
request=$(find "$scratch/good" -name request.json | head -n 1)
is "there was one request" "$(find "$scratch/good" -name request.json | wc -l)" 1
is "by POST over TLS" "$(field "$request" method) $(field "$request" path) $(field "$request" tls | cut -c1-6)" \
    "POST /submit TLSv1."
has "the agent names itself" "$(field "$request" headers.user-agent)" '^Cairn/[0-9.]+ \(Linux\)$'
ok "the minidump arrived byte for byte" cmp "$folder/dump.dmp" "$(part "$scratch/good" upload_file_minidump)"
ok "so did the text" cmp "$folder/summary.txt" "$(part "$scratch/good" summary.txt)"
is "the minidump's part has a file name" "$(field "$request" files.0.filename)" "$(basename "$folder").dmp"
is "... and a type" "$(field "$request" files.0.type)" application/octet-stream
is "the product arrives as prod" "$(field "$request" fields.prod)" shop
is "the version arrives as ver" "$(field "$request" fields.ver)" 1.2
is "attributes arrive as form fields" "$(field "$request" fields.team)" payments
is "... whatever they hold" "$(field "$request" fields.note)" 'a "quoted" value; é'
is "so do the configuration's own fields" "$(field "$request" fields.channel)" beta
is "no environment arrives" "$(grep -c 'PATH=' "$(part "$scratch/good" upload_file_minidump)")" 0
kill "$receiver_pid"

# ---- The edit of one transport is an edit of the YAML.
receiver trace --tls "$scratch/cert.pem" "$scratch/key.pem" --mode ok
configuration "$scratch/trace.yaml" "plugin: backtrace" "url: https://localhost:$port/post?format=minidump&token=5ec7e75ec7e7" \
    "ca_file: $scratch/cert.pem"
crash "$scratch/trace.yaml"
ok "the backtrace transport delivers" wait_for 60 delivered 2
has "the server's id is kept" "$(field "$(newest)/report.json" deliveries.0.server_id)" '^[0-9a-f-]{8,}'
request=$(find "$scratch/trace" -name request.json | head -n 1)
is "format and token are in the query" "$(field "$request" query.format) $(field "$request" query.token)" "minidump 5ec7e75ec7e7"
is "attachments are named as Backtrace wants" "$(field "$request" files.1.name)" attachment_summary.txt
kill "$receiver_pid"

# ---- A certificate nobody vouches for.
receiver strange --tls "$scratch/cert.pem" "$scratch/key.pem"
configuration "$scratch/strange.yaml" "plugin: breakpad" "url: https://localhost:$port/submit?token=5ec7e75ec7e7"
crash "$scratch/strange.yaml"
pending_error() {
    find "$spool" -path '*/pending/*/report.json' -exec grep -l '"error": *"' {} + | grep -q .
}
ok "an unknown certificate is refused, the report waits" wait_for 60 pending_error
folder=$(newest)
has "the sentence says so" "$(field "$folder/report.json" deliveries.0.error)" '[Cc]ertificate'
is "no token in report.json" "$(grep -c 5ec7e7 "$folder/report.json")" 0
is "nothing arrived" "$(find "$scratch/strange" -name request.json | wc -l)" 0
kill "$receiver_pid"

# ---- The server is gone; later it is there, and `cairn send` delivers.
configuration "$scratch/later.yaml" "plugin: breakpad" "url: https://localhost:$port/submit" "ca_file: $scratch/cert.pem"
is "cairn send to a server that is not there" "$(status_of cairn send -c "$scratch/later.yaml")" 75
has "... says so" "$(cat "$scratch/out" "$scratch/err")" 'upload'
receiver later --tls "$scratch/cert.pem" "$scratch/key.pem"
configuration "$scratch/later.yaml" "plugin: breakpad" "url: https://localhost:$port/submit" "ca_file: $scratch/cert.pem"
is "cairn send once it is there" "$(status_of cairn send -c "$scratch/later.yaml" latest)" 0
is "the report is delivered" "$(field "$(newest)/report.json" deliveries.0.state)" delivered
ok "its folder moved" delivered 3
kill "$receiver_pid"

# ---- A server that is busy: the next attempt is not before the time it named.
receiver busy --mode 429
configuration "$scratch/busy.yaml" "plugin: breakpad" "url: http://localhost:$port/submit"
crash "$scratch/busy.yaml"
ok "a busy server's answer is kept" wait_for 60 pending_error
is "as 429" "$(field "$(newest)/report.json" deliveries.0.response_code)" 429
has "with a next attempt" "$(field "$(newest)/report.json" deliveries.0.next)" '^20[0-9-]+T'
kill "$receiver_pid"

# ---- Rejected for good.
receiver refuses --mode 403
configuration "$scratch/busy.yaml" "plugin: breakpad" "url: http://localhost:$port/submit"
cairn send -c "$scratch/busy.yaml" latest >/dev/null 2>&1
is "403 is final" "$(field "$(newest)/report.json" deliveries.0.state)" rejected
ok "the report itself is still there" test -s "$(newest)/dump.dmp"
kill "$receiver_pid"

# ---- The sender is killed while the server stalls.
receiver stalls --mode stall
configuration "$scratch/stall.yaml" "plugin: breakpad" "url: http://localhost:$port/submit" "timeout: 60s" "stall_timeout: 50s"
crash "$scratch/stall.yaml"
attempted() {
    find "$spool" -path '*/pending/*/report.json' -exec grep -l '"attempts": *1' {} + | grep -q .
}
ok "the report is pending, and its first attempt on record" wait_for 30 attempted
kill -KILL $(processes cairn-sender)
kill "$receiver_pid"
receiver after
configuration "$scratch/stall.yaml" "plugin: breakpad" "url: http://localhost:$port/submit"
is "after kill -9 the report is sent again" "$(status_of cairn send -c "$scratch/stall.yaml")" 0
is "and delivered" "$(field "$(newest)/report.json" deliveries.0.state)" delivered
has "the lost attempt was counted" "$(field "$(newest)/report.json" deliveries.0.attempts)" '^[2-9]$'

done_testing
