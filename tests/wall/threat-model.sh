#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every test that doc/threat-model.md names exists, and so does every case of it that is quoted. The check
# runs over a page that names what does not exist, too, which it must find.
. "$CAIRN_SRCDIR/tests/lib.sh"

# missing PAGE: what it names and is not there, one a line; "nothing named" when it names too little.
missing() {
    python3 - "$1" "$CAIRN_SRCDIR" <<'END'
import pathlib, re, sys
page, top = pathlib.Path(sys.argv[1]).read_text(), pathlib.Path(sys.argv[2])
named = 0
for match in re.finditer(r'`(tests/[^`]+)`((?:: )?(?:(?:, )?"[^"]+")*)', page):
    path = top / match[1]
    named += 1
    if not path.is_file():
        print(match[1])
        continue
    text = path.read_text()
    for case in re.findall(r'"([^"]+)"', match[2]):
        named += 1
        if case not in text:
            print(f"{match[1]}: {case}")
if named < 10:
    print("nothing named")
END
}

is "all tests of the threat model are there" "$(missing "$CAIRN_SRCDIR/doc/threat-model.md")" ""
cat >"$scratch/page.md" <<'END'
`tests/lib.sh` `tests/lib.sh` `tests/lib.sh` `tests/lib.sh` `tests/lib.sh` `tests/lib.sh` `tests/lib.sh`
`tests/no-such-test.sh`: "x"; `tests/tools/security.sh`: "no such case", "files are private"
END
is "control: what is not there is found" "$(missing "$scratch/page.md")" "tests/no-such-test.sh
tests/tools/security.sh: no such case"
echo "no tests at all" >"$scratch/empty.md"
is "control: a page without tests is found" "$(missing "$scratch/empty.md")" "nothing named"

# Of each requirement something is taken out by mutations.sh; its table has five lines an entry.
unproven() {
    python3 - "$CAIRN_SRCDIR/doc/threat-model.md" "$1" <<'END'
import pathlib, re, sys
page, table = (pathlib.Path(name).read_text() for name in sys.argv[1:])
lines = [line for line in table.splitlines() if line and not line.startswith("#")]
names = {name for line in lines[::5] for name in line.split(", ")}
wanted = page.split("\n## Requirements")[1].split("\n### ")[0]
for row in re.findall(r"^\| ([^|]+) \| [^|]+ \| `tests/", wanted, re.M):
    if names.isdisjoint(row.split(", ")):
        print(row)
if len(lines) % 5 != 0 or len(lines) < 100:
    print("not a table")
END
}
is "of each requirement something is taken out" "$(unproven "$CAIRN_SRCDIR/tests/wall/mutations.txt")" ""
sed 's/^S20$/S99/' "$CAIRN_SRCDIR/tests/wall/mutations.txt" >"$scratch/other"
is "control: one without is found" "$(unproven "$scratch/other")" "S20"

done_testing
