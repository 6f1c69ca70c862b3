#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `cairn show --as-sent`: what is shown is what a server receives, header by header, field by field, file by file;
# nothing is sent; tokens are hidden; a transport that cannot show it is not called.
. "$CAIRN_SRCDIR/tests/lib.sh"
. "$CAIRN_SRCDIR/tests/engine/fakes.sh"

: >"$scratch/port"
/usr/bin/python3 "$CAIRN_SRCDIR/tests/servers/receiver.py" --folder "$scratch/received" --lifetime 120 >"$scratch/port" 2>&1 &
started="$started $!"
wait_for 10 grep -q '[0-9]' "$scratch/port"
server="http://me:5ec7e75ec7e7@127.0.0.1:$(head -n 1 "$scratch/port")"

mkdir -p "$fakes/transport"
cat >"$scratch/spy.c" <<'END'
#include <cairn/plugin.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
static int send_report(void *context, struct cairn_transport_args *args)
{
    (void)context;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    args->outcome = CAIRN_REJECTED;
    snprintf(args->error, sizeof(args->error), "the network: %s", fd < 0 ? strerror(errno) : "there");
    return CAIRN_PLUGIN_OK;
}
static const struct cairn_transport_ops ops = { .size = sizeof(ops), .send = send_report };
const struct cairn_plugin cairn_plugin_entry = {
    CAIRN_PLUGIN_HEAD(CAIRN_KIND_TRANSPORT),
    .capabilities = CAIRN_CAP_NETWORK | CAIRN_CAP_PREVIEW,
    .name = "spy", .version = "1", .summary = "Tries the network.",
    .option_size = sizeof(struct cairn_option), .ops = &ops,
};
CAIRN_PLUGIN_NOTE(CAIRN_KIND_TRANSPORT, "spy");
END
${CC:-cc} -std=gnu11 -shared -fPIC -fvisibility=hidden -I"$CAIRN_SRCDIR/include" -o "$fakes/transport/spy.so" "$scratch/spy.c"

cat >"$scratch/shop.yaml" <<END
version: 1
application: { name: shop, version: "1.2" }
engine: { spool: $spool, limits: { free: 1MiB } }
annotators:
  build: { plugin: static, values: { team: payments, note: "a \"quoted\" value; é \u0085 end", line: "one\ntwo" } }
writers:
  dump: { plugin: minidump }
  summary: { plugin: text }
transports:
  breakpad: { plugin: breakpad, url: "$server/submit?token=5ec7e75ec7e7", attachments: true, fields: { channel: beta } }
  backtrace: { plugin: backtrace, url: "$server/post?format=minidump&token=5ec7e75ec7e7" }
  copy: { plugin: directory, path: $scratch/copies }
  fake: { plugin: fake, act: deliver, log: $scratch/fake.log }
  spy: { plugin: spy }
pipelines:
  default: { annotators: [build], writers: [dump, summary], transports: [breakpad, backtrace] }
END
process "$scratch/shop.yaml"
is "the report is made" "$answer" "committed pending"
ok "and delivered to both" wait_for 20 test -d "$spool/shop/delivered/$id"
folder=$spool/shop/delivered/$id
wait_for 20 idle
find "$spool" -type f -exec sha256sum {} + | sort >"$scratch/before"

# ---- What is shown is what was sent.
number=0
for transport in breakpad backtrace; do
    number=$((number + 1))
    received=$scratch/received/000$number
    is "$transport: shown" \
        "$(status_of cairn show --spool "$spool" --as-sent $transport --json --output "$scratch/$transport" "$id")" 0
    cp "$scratch/out" "$scratch/$transport.json"
    is "$transport: what is shown is what was sent" \
        "$(python3 "$CAIRN_SRCDIR/tests/servers/as_sent.py" "$scratch/$transport.json" "$received")" same
    ok "$transport: the folder has the parts that arrived" diff -r -x request.json "$scratch/$transport" "$received"
    ok "$transport: and what was printed" \
        python3 -c 'import json, sys; sys.exit(json.load(open(sys.argv[1])) != json.load(open(sys.argv[2])))' \
        "$scratch/$transport.json" "$scratch/$transport/request.json"
    is "$transport: no token is shown" "$(grep -rl 5ec7e7 "$scratch/$transport" "$scratch/$transport.json")" ""
    is "$transport: but where it goes" "$(field "$scratch/$transport.json" target)" \
        "$(echo "$server" | sed 's/me:5ec7e75ec7e7/(hidden)/')/(hidden)"
done
# The control: a comparison that sees differences.
sed 's/"payments"/"payment"/; s/"beta"/"gamma"/' "$scratch/breakpad.json" >"$scratch/wrong.json"
is "a difference would be seen" "$(python3 "$CAIRN_SRCDIR/tests/servers/as_sent.py" "$scratch/wrong.json" "$scratch/received/0001" | wc -l)" 2
is "nothing more was received" "$(find "$scratch/received" -name request.json | wc -l)" 2
find "$spool" -type f -exec sha256sum {} + | sort >"$scratch/after"
ok "the spool is as it was" diff "$scratch/before" "$scratch/after"
text=$(cairn show --spool "$spool" --as-sent breakpad "$id")
has "for people: where to" "$text" '^POST http://\(hidden\)@127\.0\.0\.1:[0-9]+/\(hidden\)$'
has "... fields" "$text" '^  channel +beta$'
has "... files" "$text" "^  upload_file_minidump +[0-9]+ bytes, application/octet-stream, named $id\.dmp\$"
is "no token there either" "$(echo "$text" | grep -c 5ec7e7)" 0

# ---- A copy.
cairn show --spool "$spool" --as-sent copy --json "$id" >"$scratch/copy.json"
is "directory: where to" "$(field "$scratch/copy.json" method) $(field "$scratch/copy.json" target)" "copy $scratch/copies/$id"
is "directory: which files" "$(for i in 0 1 2 3; do field "$scratch/copy.json" files.$i.name; done | tr '\n' ' ')" \
    "report.json dump.dmp summary.txt - "
is "directory: their content" "$(field "$scratch/copy.json" files.1.sha256)" "$(sha256sum <"$folder/dump.dmp" | cut -d' ' -f1)"
is "directory: nothing is copied" "$(ls -d "$scratch/copies" 2>/dev/null)" ""

# ---- What cannot be shown.
is "a transport that cannot show it" "$(status_of cairn show --spool "$spool" --as-sent fake "$id")" 69
has "... says so" "$(cat "$scratch/err")" 'plugin fake cannot show what it sends, and was not asked'
is "... and was not called" "$(cat "$scratch/fake.log" 2>/dev/null)" ""
is "a transport that would send after all" "$(status_of cairn show --spool "$spool" --as-sent spy "$id")" 65
has "... has no network" "$(cat "$scratch/err")" 'the network: Permission denied'
is "a transport that does not exist" "$(status_of cairn show --spool "$spool" --as-sent nowhere "$id")" 66
is "a folder that exists" "$(status_of cairn show --spool "$spool" --as-sent copy --output "$scratch" "$id")" 73
is "--output alone" "$(status_of cairn show --spool "$spool" --output "$scratch/x" "$id")" 64
cat >"$scratch/bare.yaml" <<END
version: 1
engine: { spool: $spool }
writers: { summary: { plugin: text } }
transports: { breakpad: { plugin: breakpad, url: "$server/submit" } }
pipelines: { default: { writers: [summary] } }
END
process "$scratch/bare.yaml"
is "a report without a minidump" "$(status_of cairn show -c "$scratch/bare.yaml" --as-sent breakpad "$id")" 65
has "... would not be sent" "$(cat "$scratch/err")" 'Nothing would be sent: The report has no minidump'

# ---- A minidump that lies packed in the spool leaves unpacked: so it is shown. Other packed files are said to be.
sed -e 's/dump: { plugin: minidump }/dump: { plugin: minidump, compress: zstd }/' "$scratch/shop.yaml" >"$scratch/packed.yaml"
if [ "$(status_of cairn check "$scratch/packed.yaml")" -eq 0 ]; then
    process "$scratch/packed.yaml"
    ok "a packed one is delivered" wait_for 20 test -d "$spool/shop/delivered/$id"
    folder=$spool/shop/delivered/$id
    cairn show --spool "$spool" --as-sent breakpad --json --output "$scratch/packed" "$id" >"$scratch/packed.json"
    is "packed: what is shown is what was sent" \
        "$(python3 "$CAIRN_SRCDIR/tests/servers/as_sent.py" "$scratch/packed.json" "$(grep -rl "$id" "$scratch"/received/*/request.json | head -n 1 | xargs dirname)")" same
    is "packed: it is a minidump" "$(head -c 4 "$scratch/packed"/*-upload_file_minidump)" MDMP
    cairn show --spool "$spool" --as-sent copy "$id" >"$scratch/out"
    has "a copy leaves packed, and that is said" "$(cat "$scratch/out")" 'packed; "zstd -dc" shows what is in it'
else
    skip "packed minidumps" "built without zstd"
fi

done_testing
