#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The crash matrix in its short form, in every tier, and what it must not take for whole. All of it: tests/crash/matrix.
set -u
matrix=${CAIRN_SRCDIR:?run me through make check}/tests/crash/matrix
lines=$("$matrix" --controls --tap)
printf '%s\n' "$lines" | grep -v '^1\.\.'
controls=$(printf '%s\n' "$lines" | grep -c '^\(not \)\?ok ')
for tier in 1 2 2-copy 3; do
    "$matrix" --short --tap --tier "$tier"
done | awk -v before="$controls" '
    /^1\.\./ { next }
    /^(not )?ok / { sub(/ok [0-9]+/, "ok " (++count + before)) }
    { print }
    END { print "1.." count + before }'
