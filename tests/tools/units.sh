#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# systemd's units: installed, free of mistakes in systemd's own eyes, and their command does what they say.
. "$CAIRN_SRCDIR/tests/lib.sh"

units=$CAIRN_STAGE/lib/systemd
for unit in system/cairn-send.service system/cairn-send.timer user/cairn-send.service user/cairn-send.timer; do
    ok "$unit is installed" test -f "$units/$unit"
done

# verify system|user: systemd's complaints about a copy whose command is the staged one.
verify() {
    mkdir -p "$scratch/$1"
    for unit in cairn-send.service cairn-send.timer; do
        sed "s|^ExecStart=[^ ]*|ExecStart=$CAIRN_STAGE/bin/cairn|" "$units/$1/$unit" >"$scratch/$1/$unit"
    done
    [ "${2:-}" = spoilt ] && echo 'ProtectEverything=yes' >>"$scratch/$1/cairn-send.service"
    SYSTEMD_UNIT_PATH=$scratch/$1: systemd-analyze verify --man=no --recursive-errors=no "--$1" \
        "$scratch/$1/cairn-send.service" "$scratch/$1/cairn-send.timer" 2>&1 | grep -F cairn-send
}
if command -v systemd-analyze >/dev/null; then
    is "systemd has nothing to say of the machine's units" "$(verify system)" ""
    has "control: of a wrong one it has" "$(verify system spoilt)" ProtectEverything
    XDG_RUNTIME_DIR=$scratch
    export XDG_RUNTIME_DIR
    is "nor of the user's" "$(verify user)" ""
else
    skip "systemd reads the units" "systemd-analyze is not installed"
fi

command=$(sed -n 's/^ExecStart=[^ ]* //p' "$units/system/cairn-send.service")
is "the command" "$command" "send --due"
cat >"$scratch/quiet.yaml" <<END
version: 1
engine: { spool: $spool }
writers: { dump: { plugin: minidump } }
pipelines: { default: { writers: [dump] } }
END
# shellcheck disable=SC2086 # words on purpose
is "with nothing to deliver it succeeds" "$(CAIRN_CONFIG=$scratch/quiet.yaml status_of cairn $command)" 0
done_testing
