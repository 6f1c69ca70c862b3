#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The manual page of the bundled plugins is what their option tables say, and the documents name them all.
. "$CAIRN_SRCDIR/tests/lib.sh"

page=$CAIRN_SRCDIR/doc/man/cairn-plugins.7

# fresh FILE: it is what the tables give now.
fresh() {
    cairn plugin doc --man >"$scratch/now.7" && diff -u "$1" "$scratch/now.7"
}

if ! ok "doc/man/cairn-plugins.7 is fresh" fresh "$page"; then
    echo "# It is stale. With the staged installation in PATH and CAIRN_PLUGIN_PATH:"
    echo "#     cairn plugin doc --man >doc/man/cairn-plugins.7"
fi
sed '0,/default 5/s//default 6/' "$page" >"$scratch/stale.7"
is "a page that is stale is found" "$(status_of fresh "$scratch/stale.7")" 1

cairn plugin list | awk 'NR > 1 && !/^ / { print $1, $2 }' >"$scratch/names"
ok "there are plugins" test -s "$scratch/names"
while read -r kind name; do
    ok "the page has $kind/$name" grep -q "^\.Ss $kind/$name\$" "$page"
    ok "README.md has $kind $name" grep -q "^| $kind |.*\`$name\`" "$CAIRN_SRCDIR/README.md"
    ok "doc/configuration.md has $name" grep -q "^| \`$name\` |" "$CAIRN_SRCDIR/doc/configuration.md"
    is "cairn plugin doc $kind/$name" "$(status_of cairn plugin doc "$kind/$name")" 0
    has "... tells its kind and name" "$(cat "$scratch/out")" "^$kind/$name [0-9]"
    if command -v mandoc >/dev/null; then
        cairn plugin doc --man "$kind/$name" >"$scratch/one.7"
        is "... as a page that mandoc accepts" "$(mandoc -Tlint -Wwarning "$scratch/one.7" 2>&1)" ""
    fi
done <"$scratch/names"

text=$(cairn plugin doc ratelimit)
has "a number's range and default" "$text" '^  max: number from 1 to 100, default 5$'
has "a duration's range in its own units" "$text" '^  per: duration from 1s to 365d, default 1h$'
has "what an option may be" "$text" '^  by: one of signature \| application \| user, default signature$'
has "when a filter is asked" "$text" '^  It is asked when the stack is known\.$'
has "what an option brings about" "$(cairn plugin doc match)" 'asked when all annotators are done\.$'
has "what a plugin may do" "$(cairn plugin doc exec)" '^  It starts other programs\.$'
is "no such plugin: status" "$(status_of cairn plugin doc no-such)" 66
has "no such plugin: sentence" "$(cat "$scratch/err")" 'no plugin named "no-such"'

done_testing
