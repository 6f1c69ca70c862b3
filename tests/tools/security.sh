#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The promises of doc/threat-model.md that need whole programs: raised rights, programs that lie, names and
# secrets of the crashed process, files of other users.
. "$CAIRN_SRCDIR/tests/lib.sh"
. "$CAIRN_SRCDIR/tests/engine/fakes.sh"

chmod 755 "$scratch"
cat >"$scratch/good.yaml" <<END
version: 1
engine: { spool: $spool, limits: { free: 1MiB } }
annotators: { process: { plugin: process } }
writers: { dump: { plugin: minidump }, summary: { plugin: text } }
pipelines: { default: { annotators: [process], writers: [dump, summary] } }
END

# ---- S24: raised rights: the environment does not choose files.
if [ "$(id -u)" -eq 0 ] && command -v setpriv >/dev/null 2>&1; then
    printf 'version: 1\nnonsense: 1\n' >"$scratch/chosen.yaml"
    cp "$engine" "$scratch/engine"
    cp "$engine" "$scratch/raised"
    chmod 4755 "$scratch/raised"
    as_nobody() {
        setpriv --reuid 65534 --regid 65534 --clear-groups env CAIRN_CONFIG="$scratch/chosen.yaml" HOME=/nonexistent "$@" 2>&1
    }
    # Where nobody can look whether there is a policy, there may be one.
    if as_nobody test -x "$CAIRN_BUILDDIR"; then
        has "without raised rights CAIRN_CONFIG is obeyed" "$(as_nobody "$scratch/engine" check)" 'chosen\.yaml.*nonsense'
    else
        skip "without raised rights CAIRN_CONFIG is obeyed" "others cannot enter the build folder"
    fi
    out=$(as_nobody "$scratch/raised" check)
    is "with raised rights it is not" "$(echo "$out" | grep -c chosen)" 0

    # ---- S10: an attachment is read with the crashed process's rights, not the engine's.
    echo "root's own" >"$scratch/secret.txt"
    chmod 600 "$scratch/secret.txt"
    mkdir -m 777 "$scratch/nobody"
    setpriv --reuid 65534 --regid 65534 --clear-groups \
        "$CAIRN_BUILDDIR/tests/crash/dump_victim" crash "$scratch/nobody/crash.dmp" 2 >/dev/null 2>&1
    python3 - "$scratch/nobody/crash.dmp" "$scratch/attach.dmp" "$scratch/secret.txt" <<'END'
import struct, sys
data = bytearray(open(sys.argv[1], "rb").read())
count, directory = struct.unpack_from("<II", data, 8)
for i in range(count):
    kind, size, offset = struct.unpack_from("<III", data, directory + 12 * i)
    if kind == 0x43524e01:
        path = sys.argv[3].encode()
        records = bytes(data[offset:offset + size])
        records += struct.pack("<II", 7, len(path)) + path + b"\0" * (-len(path) % 4)
        struct.pack_into("<II", data, directory + 12 * i + 4, len(records), len(data))
        data += records
open(sys.argv[2], "wb").write(data)
END
    process "$scratch/good.yaml" "$scratch/attach.dmp"
    has "another user's file is not attached" "$(notes)" 'secret.txt cannot be opened: Permission denied'
    is "and nothing of it is in the report" "$(grep -rl "root's own" "$folder")" ""
else
    skip "raised rights and other users' files" "needs root and setpriv"
fi

# ---- S7: modes come from creation.
umask 0
process "$scratch/good.yaml"
umask 022
ok "a report, made under an open umask" test -s "$folder/dump.dmp"
is "its files and folders are private" "$(find "$folder" -perm /077)" ""

# ---- S1, S21: a program that lies to its monitor.
liar() {
    "$CAIRN_BUILDDIR/tests/crash/page_liar" "$CAIRN_LIBEXEC/cairn-monitor" "$scratch/good.yaml" "$1"
}
rm -rf "$spool"
has "a page for another process is refused" "$(liar pid)" 'refused: .*not of process [0-9]+'
is "a crash of another process is refused" "$(liar slot)" 'state 4 error -22 id ""'
is "nobody was captured" "$(find "$spool" -name '*.dmp*')" ""

# ---- S12, S13: names of the crashed program are data.
name="a; touch pwned \$(touch pwned) "
printf 'int main(void) { *(volatile int *)16 = 1; return 0; }\n' >"$scratch/crash.c"
${CC:-cc} -O0 -o "$scratch/$name" "$scratch/crash.c"
rm -rf "$spool"
(cd "$scratch" && SECRET_TOKEN=xyzzy-4711 cairn run -c "$scratch/good.yaml" "$scratch/$name" --password plugh-0815) \
    >/dev/null 2>&1
ok "a program with a hostile name is reported" wait_for 15 committed 1
is "its name is no command" "$(find "$scratch" -name pwned)" ""
has "its folder's name is escaped" "$(ls "$spool")" '^a%3[Bb]%20touch%20pwned'
is "--application cannot leave the spool" \
    "$(status_of cairn run -c "$scratch/good.yaml" --application ../../outside "$scratch/$name")" 139
ok "it is reported, too" wait_for 15 committed 2
is "below the spool" "$(find "$scratch" -name 'outside*' -not -path "$spool/*")" ""

# ---- S22: environment and command line are not in a report that did not ask for them.
is "no environment in any file" "$(grep -rla xyzzy-4711 "$spool")" ""
is "no command line in any file" "$(grep -rla plugh-0815 "$spool")" ""
is "folders are private" "$(find "$spool" -type d -perm /077)" ""
is "files are private" "$(find "$spool" -type f -perm /077)" ""

# The control: asked for, they are there.
sed 's/plugin: minidump/plugin: minidump, include: [environment, command-line]/' "$scratch/good.yaml" >"$scratch/all.yaml"
rm -rf "$spool"
SECRET_TOKEN=xyzzy-4711 cairn run -c "$scratch/all.yaml" "$scratch/$name" --password plugh-0815 >/dev/null 2>&1
wait_for 15 committed 1
ok "the environment is there when it is asked for" grep -rqa xyzzy-4711 "$spool"
ok "so is the command line" grep -rqa plugh-0815 "$spool"

# ---- S5: what lies in the spool already is not followed.
wait_for 15 idle
rm -rf "$spool"
mkdir -m 700 "$spool" "$scratch/elsewhere"
ln -s "$scratch/elsewhere" "$spool/linked"
is "an application's folder that is a link is refused" \
    "$(status_of cairn run -c "$scratch/good.yaml" --application linked "$scratch/$name")" 78
is "nothing was written behind it" "$(ls -A "$scratch/elsewhere")" ""

done_testing
