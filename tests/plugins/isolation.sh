#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The isolation table: every fault in every call of every kind costs that plugin's contribution only and
# is told by a note that names it; after each faulty instance a witness of the same kind contributes and finds
# its process as it should be; the report is committed. Code that is hostile and not faulty is out of scope,
# plugins are trusted; but a plugin is kept to what it declares, and those ways around it that a filter of
# system calls can close are tried.
#
# A row per kind and call holds all faults at once; rows are lines of "PASS|FAIL what" made by isolation.py.
. "$CAIRN_SRCDIR/tests/lib.sh"

engine=$CAIRN_LIBEXEC/cairn-engine
CAIRN_PLUGIN_PATH=$scratch/plugins
dump=$scratch/crash.dmp
"$CAIRN_BUILDDIR/tests/crash/dump_victim" crash "$dump" 0 >/dev/null 2>&1

# build NAME CAPABILITIES: of each kind
number=0
build() {
    number=0
    for kind in filter annotator writer hook transport; do
        number=$((number + 1))
        mkdir -p "$scratch/plugins/$kind"
        ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -w -I"$CAIRN_SRCDIR/include" -DKIND=$number "-DNAME=\"$1\"" \
            "-DCAPABILITIES=$2" -fPIC -shared -fvisibility=hidden -pthread -Wl,-z,now -o "$scratch/plugins/$kind/$1.so" \
            "$CAIRN_SRCDIR/tests/plugins/fault.c" || return 1
    done
}
ok "the faulty plugins compile" build fault 0
ok "... and those that declare what they do" build able "CAIRN_CAP_NETWORK|CAIRN_CAP_PROCESSES"
ok "... only the network" build online CAIRN_CAP_NETWORK
ok "... only programs" build starter CAIRN_CAP_PROCESSES

table() {
    python3 "$CAIRN_SRCDIR/tests/plugins/isolation.py" "$@"
}
# import CONFIG: the id of the report, delivered or not
import() {
    "$engine" import --config "$1" "$dump" --wait 2>"$1.log"
}

for kind in filter annotator writer hook transport; do
    for call in check create call destroy; do
        row=$scratch/$kind-$call
        table write "$kind" "$call" "$spool" >"$row.yaml"
        began=$(date +%s)
        id=$(import "$row.yaml")
        ok "$kind, $call: nothing hangs" test $(($(date +%s) - began)) -lt 240
        # Hooks write once more after the commit, which the id does not wait for.
        report=$(echo "$spool/$kind-$call"/[pd]e*/"$id"/report.json)
        ok "$kind, $call: the report is there" test -f "$report"
        table judge "$kind" "$call" "$report" >"$row.txt" 2>&1
        while read -r verdict what; do
            is "$kind, $call: $what" "$verdict" PASS
        done <"$row.txt"
    done
done
ok "no process was left behind" wait_for 5 no_process cairn-linger
cp "$(command -v sleep)" "$scratch/cairn-linger"
"$scratch/cairn-linger" 60 &
started=$!
lingers() {
    [ "$(processes cairn-linger)" = "$started" ]
}
ok "control: one that was left is seen" wait_for 5 lingers

# ---- Set aside after three faults in a row, until file or configuration changes.
# again APPLICATION: one more report; what it says of the instance "bad".
aside=$scratch/aside.yaml
again() {
    id=$(import "$aside")
    report=$(echo "$spool/aside"/[pd]e*/"$id"/report.json)
    field "$report" notes
}
bad() {
    cat >"$aside" <<END
version: 1
application: { name: aside }
engine: { spool: $spool }
annotators: { bad: { plugin: fault, fault: $1 } }
pipelines: { default: { annotators: [bad] } }
END
}
set_aside='\["annotator \\"bad\\" is set aside until its file or its configuration changes: it went wrong 3 times in a row\."\]'
bad crash
for round in 1 2 3; do
    has "fault $round: it is run" "$(again)" 'was ended by SIGSEGV'
done
has "then it is set aside" "$(again)" "$set_aside"
has "... for good" "$(again)" "$set_aside"
touch "$scratch/plugins/annotator/fault.so"
has "another file is tried again" "$(again)" 'was ended by SIGSEGV'
again >/dev/null
again >/dev/null
has "... and set aside" "$(again)" "$set_aside"
bad exit-3
has "another configuration is tried again" "$(again)" 'exit code 3'
again >/dev/null
bad none
is "one that works" "$(again)" "[]"
is "... is forgotten" "$(cat "$spool/aside/faults.json")" "{
}"
bad exit-3
again >/dev/null
again >/dev/null
has "two faults do not set aside" "$(again)" 'exit code 3'
printf 'garbage {' >"$spool/aside/faults.json"
has "a broken faults.json counts nothing" "$(again)" 'exit code 3'
is "... and is made anew" "$(field "$spool/aside/faults.json" annotator.bad.faults)" "-"
has "... with the count" "$(tr -d '\n\t' <"$spool/aside/faults.json")" '"annotator.bad":.*"faults": *1,'

# ---- Where the system has no seccomp filters: a line in the log, and the plugin runs.
bad network
ok "a system without seccomp filters can be simulated" ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -o "$scratch/no_seccomp" \
    "$CAIRN_SRCDIR/tests/plugins/no_seccomp.c"
id=$("$scratch/no_seccomp" "$engine" import --config "$aside" "$dump" 2>"$scratch/log")
has "without filters the plugin is not restricted" "$(field "$spool/aside/delivered/$id/report.json" notes)" \
    'the network is there'
has "... and the log says so" "$(cat "$scratch/log")" \
    'annotator "bad": The system does not keep it to the capabilities that it declares'

done_testing
