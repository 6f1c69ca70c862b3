#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Consent: the answers of user and administrator decide what is kept and what leaves the machine, whenever they are
# given; without an answer the configuration says what that means; a file that cannot be trusted allows nothing.
. "$CAIRN_SRCDIR/tests/lib.sh"
. "$CAIRN_SRCDIR/tests/engine/fakes.sh"

# An installation of our own, whose administrator is us.
mkdir -p "$scratch/etc"
CAIRN_CONFIG=$scratch/etc/cairn.yaml
machine=$scratch/etc/consent

: >"$scratch/port"
/usr/bin/python3 "$CAIRN_SRCDIR/tests/servers/receiver.py" --folder "$scratch/received" --lifetime 120 >"$scratch/port" 2>&1 &
started="$started $!"
wait_for 10 grep -q '[0-9]' "$scratch/port"

# configure DISK NETWORK: what no answer means.
configure() {
    cat >"$CAIRN_CONFIG" <<END
version: 1
engine: { spool: $spool, limits: { free: 1MiB } }
consent: { disk: $1, network: $2 }
writers: { dump: { plugin: minidump } }
transports:
  copy: { plugin: directory, path: $scratch/copies }
  upload: { plugin: breakpad, url: "http://127.0.0.1:$(head -n 1 "$scratch/port")/submit" }
pipelines: { default: { writers: [dump], transports: [copy, upload] } }
END
}

received() {
    find "$scratch/received" -name request.json 2>/dev/null | wc -l
}

# crash: a report through the engine, and nothing sent but by what `cairn send` says afterwards.
crash() {
    process "$CAIRN_CONFIG"
}

# upload FIELD: of the upload of the report $id.
upload() {
    field "$(echo "$spool"/shop/*/"$id")/report.json" "deliveries.1.$1"
}

settled() {
    [ "$(upload attempts)" != 0 ] || [ "$(upload error)" != None ]
}

# ---- Nobody has answered.
configure implied implied
has "without answers reports are kept" "$(cairn consent)" '^disk     reports are kept '
has "... and sent" "$(cairn consent)" '^network  reports are sent '
has "a transport with the network is told from one without" "$(cairn consent)" '^  copy +directory +without the network: delivers$'
configure implied required
has "when it is required they wait" "$(cairn consent)" '^network  reports are waiting +Nobody has given the consent'
has "... by which transport" "$(cairn consent)" '^  upload +breakpad +over the network: reports wait$'
crash
is "such a report is pending" "$answer" "committed pending"
ok "the sender looks at it" wait_for 20 settled
is "no attempt is counted" "$(upload attempts)" 0
is "it is still pending" "$(upload state)" pending
has "it says what it waits for" "$(upload error)" '^Waits for consent\. .*cairn consent give network'
has "cairn show says so, too" "$(cairn show "$id")" 'Waits for consent'
ok "the copy without the network is delivered" wait_for 20 test -d "$scratch/copies/$id"
is "cairn send does not go round it" "$(status_of cairn send "$id")" 75
is "nothing was received" "$(received)" 0

# ---- The user says yes; for one application, then for all.
is "a yes for another application" "$(status_of cairn consent give network --application other)" 0
is "... is none for this one" "$(status_of cairn send "$id")" 75
is "a yes, and at once" "$(status_of cairn consent give network --send-now)" 0
is "what waited is sent" "$(upload state) $(upload attempts) $(received)" "delivered 1 1"
ok "and the folder moved" test -d "$spool/shop/delivered/$id"
is "the file is private" "$(stat -c %a "$CAIRN_CONSENT")" 600
has "it says who and when" "$(cat "$CAIRN_CONSENT")" "^network given 20[0-9-]+T[0-9:.]+Z $(id -un)\$"
has "... which is shown" "$(cairn consent)" "^  network +given +20.* by $(id -un), for other\$"

# ---- The administrator goes before the user.
is "a refusal for the machine" "$(status_of cairn consent refuse network --machine)" 0
is "all can read it" "$(stat -c %a "$machine")" 644
has "it beats the user's yes" "$(cairn consent)" '^network  reports are not sent +The administrator refused on '
crash
ok "the sender looks at it" wait_for 20 settled
ok "then the report stays here" wait_for 20 test -d "$spool/shop/delivered/$id"
is "... is not sent for good" "$(upload state) $(upload attempts)" "rejected 0"
has "... and says by whose answer" "$(upload error)" "^Not sent\. The administrator refused .*$machine"
is "a plugin that is only tried does not send either" "$(status_of cairn plugin run --report "$id" upload)" 77
is "nothing more was received" "$(received)" 1
is "an answer for one application goes first" "$(status_of cairn consent give network --machine --application shop)" 0
has "... in the same file" "$(cairn consent --application shop)" '^network  reports are sent '
has "... and only for it" "$(cairn consent --application other)" '^network  reports are not sent '
cairn consent forget network --machine
cairn consent forget network --machine --application shop
has "what is forgotten does not count" "$(cairn consent)" '^network  reports are sent +The user allowed'
cairn consent give network --machine
cairn consent refuse network
has "the user's refusal goes before the machine's yes" "$(cairn consent)" '^network  reports are not sent +The user refused'
cairn consent forget network
has "the machine's yes counts for those who said nothing" "$(cairn consent)" '^network  reports are sent +The administrator allowed'
cairn consent forget network --machine

# ---- Other plugins that can use the network: a hook may send a report, too.
cat >"$scratch/hooked.yaml" <<END
version: 1
engine: { spool: $spool, limits: { free: 1MiB } }
consent: { network: required }
writers: { dump: { plugin: minidump } }
hooks:
  tell: { plugin: exec, command: [/bin/sh, -c, "echo told >>$scratch/told"] }
  local: { plugin: exec, network: false, command: [/usr/bin/python3, $scratch/families.py] }
pipelines: { default: { writers: [dump], hooks: [tell, local] } }
END
cat >"$scratch/families.py" <<END
import socket
out = open("$scratch/local", "w")
for family in ("AF_UNIX", "AF_INET", "AF_INET6", "AF_NETLINK", "AF_VSOCK", "AF_PACKET"):
    try:
        socket.socket(getattr(socket, family), socket.SOCK_RAW if family in ("AF_PACKET", "AF_NETLINK") else socket.SOCK_STREAM)
        print(family, "open", file=out)
    except PermissionError:
        print(family, "refused", file=out)
END
process "$scratch/hooked.yaml"
is "a hook that can use the network is not run unasked" "$answer $(cat "$scratch/told" 2>/dev/null)" "committed delivered "
has "... the report says so" "$(notes)" 'hook .*tell.* was not run, because it can use the network.*Nobody has given'
is "one from which the network is withheld is run, without it" "$(cat "$scratch/local")" "AF_UNIX open
AF_INET refused
AF_INET6 refused
AF_NETLINK refused
AF_VSOCK refused
AF_PACKET refused"
has "cairn consent says so" "$(cairn consent -c "$scratch/hooked.yaml")" '^  tell +exec +hook: is not run$'
is "... and does not name the other" "$(cairn consent -c "$scratch/hooked.yaml" | grep -c '^  local')" 0
is "a hook that is only tried is not run either" "$(status_of cairn plugin run -c "$scratch/hooked.yaml" --report "$id" tell)" 77
is "... nor has it been" "$(cat "$scratch/told" 2>/dev/null)" ""
cairn consent give network
process "$scratch/hooked.yaml"
is "with a yes it is run" "$(cat "$scratch/told")" told
is "... and the report has no note" "$(notes)" "[]"
cairn consent refuse network
process "$scratch/hooked.yaml"
is "with a no it is not" "$(cat "$scratch/told")" told
has "... and it is said whose no it is" "$(notes)" 'tell.* was not run.*The user refused'
cairn consent forget network

# ---- The disk.
is "a refusal of the disk" "$(status_of cairn consent refuse disk)" 0
crash
is "the report is dropped" "$answer" dropped
is "nothing of it is left" "$(find "$spool" -name "*$id*")" ""
process "$scratch/hooked.yaml"
is "no report, no hook" "$answer $(cat "$scratch/told")" "dropped told"
is "both are counted" "$(field "$spool/shop/drops.json" consent)" 2
echo "no minidump" >"$scratch/broken.dmp"
process "$CAIRN_CONFIG" "$scratch/broken.dmp"
is "what no report can be made of is not set aside either" "$(find "$spool" -name "*$id*")" ""
is "... and is counted" "$(field "$spool/shop/drops.json" consent)" 3
cairn consent give disk
process "$CAIRN_CONFIG" "$scratch/broken.dmp"
ok "with a yes it is" test -d "$spool/shop/quarantine/$id"
configure required required
crash
is "with a yes it is kept" "$answer" "committed pending"
cairn consent forget disk
crash
is "without one, where it is required, it is not" "$answer" dropped
is "cairn run reports nothing then" "$(status_of cairn run -c "$CAIRN_CONFIG" --application shop perl -e 'kill SEGV => $$; sleep 5')" 139
counted() {
    [ "$(field "$spool/shop/drops.json" consent)" = "$1" ]
}
ok "... it is counted" wait_for 20 counted 5
is "... and nothing is left in incoming" "$(find "$spool" -path '*incoming*' -name '*.dmp')" ""

# ---- Files that are not what they should be.
configure implied implied
cairn consent give disk network
# unusable PATTERN: nothing is allowed, and the sentence says why; then the file is mended.
unusable() {
    is "$1: is an error" "$(status_of cairn consent)" "$2"
    has "$1: nothing is sent" "$(cat "$scratch/out")" "^network  reports are waiting +.*$3"
    has "$1: nothing is kept" "$(cat "$scratch/out")" "^disk     reports are not kept +.*$3"
    rm -rf "$CAIRN_CONSENT"
    cairn consent give disk network
}
chmod 666 "$CAIRN_CONSENT"
unusable "a file that others can write" 77 'can be changed by others'
echo "network maybe" >>"$CAIRN_CONSENT"
unusable "a line that is no answer" 65 'line 5 is no answer'
sed -n 's/given/refused/p' "$CAIRN_CONSENT" >>"$CAIRN_CONSENT"
unusable "two answers to one question" 65 'answers what an earlier one does'
printf 'cairn-consent 1\nnetwork given 2026-11-25T20:29:05Z me' >"$CAIRN_CONSENT"
unusable "a file that was cut" 65 'cut'
mv "$CAIRN_CONSENT" "$scratch/elsewhere"
ln -s "$scratch/elsewhere" "$CAIRN_CONSENT"
unusable "a link" 77 'cannot be opened'
rm -f "$CAIRN_CONSENT"
mkfifo -m 600 "$CAIRN_CONSENT"
unusable "a FIFO" 65 'not a regular file'
if [ "$(id -u)" -eq 0 ]; then
    chown 65534 "$CAIRN_CONSENT"
    unusable "a stranger's file" 77 'belongs to user 65534'
    chmod 755 "$scratch"
fi
as_nobody() {
    setpriv --reuid 65534 --regid 65534 --clear-groups "$@"
}
if [ "$(id -u)" -eq 0 ] && as_nobody test -r "$CAIRN_STAGE/bin/cairn"; then
    is "only the administrator answers for the machine" \
        "$(status_of as_nobody env CAIRN_CONSENT="$scratch/none" cairn consent refuse network --machine)" 77
    mkdir -m 700 "$scratch/closed"
    is "a folder that cannot be entered says nothing" \
        "$(status_of as_nobody env HOME=/nonexistent CAIRN_CONSENT="$scratch/closed/consent" cairn consent -c "$CAIRN_CONFIG")" 0
else
    skip "other users" "needs root, and an installation that others can read"
fi
echo "network maybe" >>"$CAIRN_CONSENT"
is "a file that cannot be used is not overwritten" "$(status_of cairn consent give network)" 65
crash
is "... and drops reports" "$answer" dropped
rm "$CAIRN_CONSENT"

# ---- The policy.
cat >"$scratch/etc/policy.yaml" <<END
version: 1
lock: [consent]
END
configure implied required
cat >"$scratch/own.yaml" <<END
version: 1
engine: { spool: $spool }
pipelines: { default: {} }
END
is "what the policy locks counts in a program's own file" \
    "$(cairn consent -c "$scratch/own.yaml" --json >"$scratch/out"; field "$scratch/out" network.setting)" required
echo "consent: { network: implied }" >>"$scratch/own.yaml"
is "and cannot be said there" "$(status_of cairn check "$scratch/own.yaml")" 78
has "... with the policy's line" "$(cat "$scratch/err")" 'own\.yaml:4:1: consent: the policy locks this key.*policy\.yaml:2:8'
rm "$scratch/etc/policy.yaml"

# ---- The command.
cairn consent refuse network --application "a b"
cairn consent --json --application "a b" >"$scratch/out"
is "JSON: the verdict" "$(field "$scratch/out" network.verdict) $(field "$scratch/out" disk.verdict)" "refused allowed"
is "JSON: the transports" "$(field "$scratch/out" transports.1.id) $(field "$scratch/out" transports.1.verdict)" "upload refused"
is "JSON: the answers" "$(field "$scratch/out" user.answers.0.application)" "a b"
has "an unknown answer" "$(status_of cairn consent allow network; cat "$scratch/err")" 'not "allow"'
has "an unknown class" "$(status_of cairn consent give internet; cat "$scratch/err")" 'not "internet"'
has "an answer to nothing" "$(status_of cairn consent give; cat "$scratch/err")" '^64|disk, network, or both'
i=0
while [ $i -lt 8 ]; do
    cairn consent give network --application "app$i" &
    writers="${writers:-} $!"
    i=$((i + 1))
done
wait $writers
is "writers at the same time wait for each other" "$(grep -c 'given .* app[0-7]$' "$CAIRN_CONSENT")" 8

done_testing
