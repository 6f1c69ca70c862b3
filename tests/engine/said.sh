#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every sentence that core/config or a plugin's check can say has a golden text. Most stand in golden/config and
# golden/layers; here are those of files and folders that cannot lie in a repository, of memory that runs out, and
# those of the plugins (golden/plugins). Last, tests/golden/said.py looks for each sentence of the sources in them.
# --accept writes what is given now; read the difference before you commit it.
. "$CAIRN_SRCDIR/tests/lib.sh"

golden=$CAIRN_SRCDIR/tests/golden
check=$CAIRN_BUILDDIR/tests/engine/check_config
accept=${1:-}
HOME=/home/golden
CAIRN_DATA=$scratch/scene/share
export HOME CAIRN_DATA
unset XDG_STATE_HOME XDG_CONFIG_HOME

# answers FILE: what the scene says is the golden text in that file; the scene's own place is not part of it.
answers() {
    sed "s,$scratch/scene/,,g" "$scratch/said" >"$scratch/answer"
    if [ "$accept" = --accept ]; then
        cp "$scratch/answer" "$golden/$1"
    fi
    cat "$scratch/answer" >>"$scratch/all"
    ok "${1%.txt}" diff -u "$golden/$1" "$scratch/answer"
}

# scene NAME COMMAND...: what the command says in a folder that was made for it.
scene() {
    name=$1
    shift
    "$@" >"$scratch/said" 2>&1
    answers "scenes/$name.txt"
    find . -mindepth 1 -delete
    mkdir -p etc/conf.d
}
mkdir -p "$scratch/scene/etc/conf.d"
cd "$scratch/scene" || exit 99

# ---- A file that is none.
scene file-none "$check" nothing.yaml
scene file-folder "$check" etc
mkfifo fifo.yaml
scene file-fifo "$check" fifo.yaml
ln -s loop.yaml loop.yaml
scene file-loop "$check" loop.yaml
scene file-unreadable "$check" /proc/self/mem
head -c 1048577 /dev/zero | tr '\0' '#' >large.yaml
scene file-large "$check" large.yaml

# ---- Texts without a place, users without a home.
config() {
    printf 'version: 1\nengine: { spool: %s }\nwriters: { dump: { plugin: minidump } }\npipelines: { default: { writers: [dump] } }\n' "$1"
}
from_text() {
    config reports >text.yaml
    "$check" --text <text.yaml
}
scene text-relative from_text
printf '#include <pwd.h>\nstruct passwd *getpwuid(uid_t user)\n{\n    return user != 1000 ? getpwnam("root") : 0;\n}\nuid_t geteuid(void)\n{\n    return 1000;\n}\n' >"$scratch/nobody.c"
ok "a library that makes us a user without a home" ${CC:-cc} -std=gnu11 -shared -fPIC -o "$scratch/nobody.so" "$scratch/nobody.c"
config '~/reports' >home.yaml
scene home-of-tilde env -u HOME LD_PRELOAD="$scratch/nobody.so" "$check" home.yaml
config '~/reports' | grep -v engine >home.yaml
scene home-of-reports env -u HOME LD_PRELOAD="$scratch/nobody.so" "$check" home.yaml

# ---- Substitutions: /proc/self/cwd stands for the folder, so that every machine says the same.
secrets() {
    echo 'version: 1'
    echo 'writers: { dump: { plugin: minidump } }'
    echo 'pipelines: { default: { writers: [dump] } }'
    echo 'filters:'
}
block() {
    (umask 077 && head -c "$1" /dev/zero | tr '\0' 'a' >block)
}
block 65537
{
    secrets
    echo '  a: { plugin: everything, secret: "${file:/proc/self/cwd/block}" }'
    echo '  b: { plugin: everything, secret: "${file:/proc/self/mem}" }'
} >files.yaml
scene substitution-files "$check" files.yaml
block 65536
{
    secrets
    echo '  a: { plugin: everything, string: "${file:/proc/self/cwd/block}${file:/proc/self/cwd/block}${file:/proc/self/cwd/block}${file:/proc/self/cwd/block}b" }'
} >long.yaml
scene substitution-long "$check" long.yaml
block 65536
{
    secrets
    echo '  a:'
    echo '    plugin: everything'
    echo '    strings:'
    for entry in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17; do
        echo '      - "${file:/proc/self/cwd/block}${file:/proc/self/cwd/block}${file:/proc/self/cwd/block}${file:/proc/self/cwd/block}"'
    done
} >total.yaml
scene substitution-total "$check" total.yaml

# ---- Layers.
layers() {
    CAIRN_CONFIG=$scratch/scene/etc/cairn.yaml XDG_CONFIG_HOME=$scratch/scene/user "$check" --layers
}
installed() {
    config /var/lib/spool >etc/cairn.yaml
}
installed
rmdir etc/conf.d
ln -s conf.d etc/conf.d
scene layers-folder layers
installed
for number in $(seq 1000 1256); do
    : >"etc/conf.d/$number.yaml"
done
scene layers-many layers
installed
chmod 666 etc/cairn.yaml
scene layers-rights layers
installed
ln -s policy.yaml etc/policy.yaml
scene policy-loop layers
installed
echo 'version: 1' >etc/policy.yaml
chmod 666 etc/policy.yaml
scene policy-rights layers

# ---- Memory runs out: each allocation fails once, and which sentences then come is the golden text.
ok "the library that makes calls fail" ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -O1 -shared -fPIC -fno-builtin \
    -o "$scratch/fault.so" "$CAIRN_SRCDIR/tests/engine/fault.c" -ldl
cat >"$scratch/memory.py" <<'END'
# Of each allocation that fails: either nothing changes, or the exit code is 78 and a problem says why.
import os, subprocess, sys
library, count, *command = sys.argv[1:]
lines, at = set(), 0
while at < 3000:
    at += 1
    with open(count, "wb") as file:
        file.write(bytes(8))
    run = subprocess.run(command, stdout=subprocess.PIPE, env=dict(
        os.environ, LD_PRELOAD=library, FAULT_CALL="malloc", FAULT_AT=str(at), FAULT_COUNT=count))
    if run.returncode != 0:
        print("ended by", run.returncode)
    said = run.stdout.decode().splitlines()
    lines.update(line for line in said if line[:1] not in (" ", "", "…"))
    if int.from_bytes(open(count, "rb").read(8), sys.byteorder) < at:
        break
print(*sorted(lines), sep="\n")
END
{
    config '~/reports' | sed 's/plugin: minidump/&, memory: all/'
    echo 'filters: { a: { plugin: everything, secret: "${file:/proc/self/cwd/block}" } }'
} >memory.yaml
block 5
scene memory python3 "$scratch/memory.py" "$scratch/fault.so" "$scratch/count" "$check" memory.yaml

# ---- What plugins say of their options.
for file in "$golden"/plugins/*.yaml; do
    cp "$file" .
    cairn check "$(basename "$file")" >"$scratch/said" 2>&1
    answers "plugins/$(basename "$file" .yaml).txt"
done
block 65536
{
    config reports | sed 's/writers: .dump./annotators: [a], &/'
    echo 'annotators: { a: { plugin: static, values: { long: "b${file:/proc/self/cwd/block}" } } }'
} >long.yaml
scene plugins-long cairn check long.yaml

# ---- All of them, and nothing else.
cat "$golden"/config/*.txt "$golden"/layers/*/expected.txt "$golden"/scenes/*.txt "$golden"/plugins/*.txt >"$scratch/golden"
sources() {
    # The schema is printed by schema.c, and compared as a whole by layers.sh.
    find "$CAIRN_SRCDIR/core/config" -name '*.c' ! -name schema.c | sort
    echo --calls=problem
    find "$CAIRN_SRCDIR/plugins" -name '*.c' | sort
}
# missing UNSEEN GOLDEN FILE...: by these lists, in the sources and these files.
missing() {
    unseen=$1 texts=$2
    shift 2
    sources | xargs python3 "$golden/said.py" "$unseen" "$texts" "$@"
}
is "every sentence has a golden text" "$(missing "$golden/unseen.txt" "$scratch/golden")" ""
printf 'void f(void)\n{\n    /* no "such thing" */\n    config_complain(check, node, "the %%s is not "\n                    "golden");\n}\n' >"$scratch/new.c"
is "control: one more sentence is missed" "$(missing "$golden/unseen.txt" "$scratch/golden" --calls= "$scratch/new.c")" \
    "no golden text: new.c: the %s is not golden"
sed 's/there is no such file/there is none/' "$scratch/golden" >"$scratch/other"
has "control: so is one golden text less" "$(missing "$golden/unseen.txt" "$scratch/other")" \
    '^no golden text: source.c: there is no such file$'
echo 'new.c: the moon' | cat "$golden/unseen.txt" - >"$scratch/unseen.txt"
is "control: nothing is listed for nothing" "$(missing "$scratch/unseen.txt" "$scratch/golden")" \
    "listed, but never said: new.c: the moon"

done_testing
