#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cairn-engine check: the plan as doc/architecture.md has it, all problems at once, and a start for what an
# earlier run left behind.
. "$CAIRN_SRCDIR/tests/lib.sh"
. "$CAIRN_SRCDIR/tests/engine/fakes.sh"

config=$scratch/shop.yaml

# configuration DUMP-OPTIONS
configuration() {
    cat >"$config" <<END
version: 1
engine: { spool: $spool, signals: [SEGV, ABRT], clocks: { claim: 2s, hold: 3s, pipeline: 4s } }
writers:
  dump: { plugin: minidump$1 }
  more: { plugin: minidump, memory: referenced }
transports:
  upload: { plugin: fake, act: deliver }
pipelines:
  shop: { match: { exe: /opt/shop/shop }, writers: [dump], transports: [upload] }
  rest: { writers: [more] }
END
}

plan() {
    "$engine" check --plan --config "$config" "$@"
}

configuration ""
is "the plan" "$(plan --executable /opt/shop/shop)" "cairn-plan 1
signals 0x420
claim-ms 2000
hold-ms 3000
pipeline-ms 4000
children fork
memory stacks
classes 
deaths killed,unknown
max-bytes 67108864
engines $((2 * $(getconf _NPROCESSORS_ONLN)))
application-folder $spool/shop"
is "its folders are made" "$(ls "$spool/shop" | tr '\n' ' ')" "delivered incoming pending quarantine "
has "another program takes another pipeline" "$(plan --executable /bin/other)" '^memory referenced$'
has "an application that is named" "$(plan --executable /bin/other --application 'my shop')" \
    "^application-folder $spool/my%20shop$"
configuration ", include: [environment, command-line]"
has "data classes" "$(plan --executable /opt/shop/shop)" '^classes command-line,environment$'
is "from a descriptor" "$("$engine" check --plan --config-fd 7 --executable /opt/shop/shop 7<"$config")" \
    "$(plan --executable /opt/shop/shop)"
is "a plan needs a program" "$(status_of plan)" 64
is "a check does not" "$(status_of "$engine" check --config "$config")" 0
is "and prints nothing" "$(cat "$scratch/out" "$scratch/err")" ""

# ---- Problems.
configuration ", memroy: stacks"
is "a problem: exit 78" "$(status_of plan --executable /opt/shop/shop)" 78
has "with its position" "$(cat "$scratch/err")" "^$config:4:29: writers\.dump\.memroy: "
is "and no plan" "$(cat "$scratch/out")" ""
configuration ""
sed -i "s,spool: $spool,spool: $config/spool," "$config"
is "a spool that cannot be made" "$(status_of plan --executable /opt/shop/shop)" 78
has "is a problem at its place" "$(cat "$scratch/err")" "^$config:2:18: engine\.spool: "
cat >"$config" <<END
version: 1
engine: { spool: $spool }
hooks: { page: { plugin: exec, command: ["bin/page"] } }
pipelines: { default: { hooks: [page] } }
END
is "what only the plugin can judge" "$(status_of "$engine" check --config "$config")" 78
has "is reported at the option" "$(cat "$scratch/err")" "^$config:3:[0-9]+: hooks\.page\.command: "
is "--plan runs no plugin code" "$(status_of plan --executable /opt/shop/shop)" 0
is "no such file" "$(status_of "$engine" check --config "$scratch/absent.yaml")" 78

# ---- Leftovers.
configuration ""
left=$(incoming)
plan --executable /opt/shop/shop >/dev/null
ok "a check finishes what was left in incoming/" wait_for 10 test -f "$spool/shop/delivered/${left##*/}/report.json"
is "with the check's own configuration" "$(field "$spool/shop/delivered/${left##*/}/report.json" pipeline)" rest
held=$(incoming)
hold "$held"
plan --executable /opt/shop/shop >/dev/null
wait_for 20 idle
ok "what somebody works on is left alone" test -f "$held/capture.dmp"
let_go

done_testing
