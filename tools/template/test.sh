#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Tests the @KIND@ @NAME@: lints it, then lets a program crash under a configuration that names it.
set -eu
cd "$(dirname "$0")"
export CAIRN_PLUGIN_PATH="$PWD/plugins${CAIRN_PLUGIN_PATH:+:$CAIRN_PLUGIN_PATH}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cairn plugin lint plugins/@KIND@/@NAME@.so

# No plugin but this one takes part.
cat >"$work/test.yaml" <<END
version: 1
application: { name: crasher }
engine: { spool: $work/spool }
@SECTION@:
  mine: { plugin: @NAME@@TEST_OPTIONS@ }
pipelines:
  default: { @SECTION@: [mine] }
END
cairn check "$work/test.yaml"
cairn run -c "$work/test.yaml" -- sh -c 'kill -SEGV $$' 2>"$work/errors" || true

# The report is made beside the program, which does not wait for it.
if ! cairn show --wait -c "$work/test.yaml" latest >"$work/report" 2>>"$work/errors"; then
    echo "There is no report:"
    cat "$work/errors"
    exit 1
fi
if grep '"mine"' "$work/report"; then
    echo "The report says what went wrong."
    exit 1
fi

# What it contributes to that report, once more.
cairn plugin run mine --report latest -c "$work/test.yaml" | tee "$work/contribution"
grep -q '@WANTED@' "$work/contribution"

# Whoever delivers has his turn first: then nothing of this trial is at work any more.
cairn send -c "$work/test.yaml" >"$work/sent"
echo "@NAME@ works."
