#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The layers of a configuration and the policy on top. Every tests/golden/layers/CASE must give exactly the text
# of its expected.txt; --accept writes what is given now. Then the same end to end: check, config, a report's own
# copy, the user's file, a policy that others could have changed, the schema for editors.
. "$CAIRN_SRCDIR/tests/lib.sh"

golden=$CAIRN_SRCDIR/tests/golden/layers
check=$CAIRN_BUILDDIR/tests/engine/check_config
chmod 755 "$scratch"
unset XDG_STATE_HOME XDG_CONFIG_HOME

# answer CASE: in a copy that only we can change, without its place in the answer.
answer() {
    rm -rf "$scratch/case"
    cp -R "$golden/$1" "$scratch/case"
    chmod -R u+w,go-w "$scratch/case"
    set -- "$scratch/case"
    CAIRN_CONFIG=$1/etc/cairn.yaml CAIRN_DATA=$1/vendor HOME=/home/golden XDG_CONFIG_HOME=$1/user \
        "$check" --layers $(test -f "$1/program.yaml" && echo "$1/program.yaml") 2>&1 | sed "s,$1/,,g; s/ *#/  #/"
}

if [ "${1:-}" = --accept ]; then
    for folder in "$golden"/*/; do
        answer "$(basename "$folder")" >"$scratch/answer"
        cp "$scratch/answer" "$folder/expected.txt"
    done
    exit 0
fi

for folder in "$golden"/*/; do
    case=$(basename "$folder")
    answer "$case" >"$scratch/answer"
    cat "$scratch/answer" >>"$scratch/all"
    ok "$case" diff -u "$folder/expected.txt" "$scratch/answer"
done
is "no secret is shown" "$(grep -c -e literal-token -e user:word "$scratch/all")" 0
ok "... of those that there are" grep -q literal-token "$golden/merge/etc/conf.d/60-anew.yaml"

# ---- End to end.
etc=$scratch/etc
mkdir -p "$etc/conf.d" "$scratch/share/conf.d"
CAIRN_CONFIG=$etc/cairn.yaml
CAIRN_DATA=$scratch/share
export CAIRN_CONFIG CAIRN_DATA
cat >"$etc/cairn.yaml" <<END
version: 1
engine: { spool: $spool }
writers: { dump: { plugin: minidump }, summary: { plugin: text } }
pipelines: { default: { writers: [dump] } }
END
ok "one layer" cairn check
echo 'pipelines: { default: { writers: [dump, summary] } }' >"$etc/conf.d/10-both.yaml"
cat >"$etc/conf.d/20-copy.yaml" <<END
transports: { copy: { plugin: directory, path: ../copies } }
pipelines: { default: { transports: [copy] } }
END
is "three layers, printed" "$(cairn config)" "version: 1
engine:
  spool: $spool
writers:
  dump:
    plugin: minidump
  summary:
    plugin: text
transports:
  copy:
    plugin: directory
    path: $etc/conf.d/../copies
pipelines:
  default:
    writers: [dump, summary]
    transports: [copy]"
has "... with their origin" "$(cairn config --origin)" "    writers: \[dump, summary\] +# $etc/conf.d/10-both.yaml:1$"
has "... lowest first" "$(cairn config --origin | sed -n 2p)" "^#   $etc/cairn.yaml$"

# A program of the installed configuration: the report's own copy is one text without layers.
cairn run -- perl -e 'kill SEGV => $$; sleep 5' >/dev/null 2>&1
ok "a report that the layers describe" wait_for 30 delivered 1
ok "is delivered where a drop-in says" test -d "$etc/copies"
is "with what a drop-in writes" "$(ls "$(newest)" | grep -c '^report.txt$\|^summary.txt$')" 1
copy=$(newest)/configuration.yaml
is "its copy holds all layers" "$(sed -n '/^transports/,/path/p' "$copy")" "transports:
  copy:
    plugin: directory
    path: $etc/conf.d/../copies"
is "... and stands by itself" "$(CAIRN_CONFIG=$scratch/none.yaml cairn config "$copy" | md5sum)" "$(cairn config | md5sum)"

# Substitutions stay as they were written.
printf 'abc' >"$scratch/secret"
chmod 600 "$scratch/secret"
cat >"$etc/conf.d/30-secret.yaml" <<END
transports: { up: { plugin: backtrace, url: "http://127.0.0.1:9/shop/\${file:$scratch/secret}/minidump" } }
END
echo "pipelines: { default: { transports: null } }" >"$etc/conf.d/40-none.yaml"
cairn run -- perl -e 'kill SEGV => $$; sleep 5' >/dev/null 2>&1
ok "a second report" wait_for 30 delivered 2
has "a secret's value is not in the copy, its place is" "$(cat "$(newest)/configuration.yaml")" \
    "url: \"http://127.0.0.1:9/shop/.\{file:$scratch/secret\}/minidump\""
has "nor in what is printed" "$(cairn config)" '^    url: http://127.0.0.1:9/\(hidden\)$'

# ---- check: all layers' problems at once, as JSON, with warnings denied.
echo 'writers: { dump: { memory: evrything } }' >"$etc/conf.d/50-wrong.yaml"
echo 'engine: { limits: { total: 5 } }' >"$scratch/share/conf.d/00-wrong.yaml"
is "problems of two layers" "$(status_of cairn check --format json)" 78
is "the first" "$(field "$scratch/out" problems.0.file):$(field "$scratch/out" problems.0.line):$(field "$scratch/out" problems.0.column)" \
    "$scratch/share/conf.d/00-wrong.yaml:1:28"
is "the second" "$(field "$scratch/out" problems.1.file) $(field "$scratch/out" problems.1.path)" \
    "$etc/conf.d/50-wrong.yaml writers.dump.memory"
is "counted" "$(field "$scratch/out" errors) $(field "$scratch/out" warnings) $(field "$scratch/out" omitted)" "2 0 0"
is "config says the same" "$(cairn config 2>&1 >/dev/null | grep -c "^$scratch/.*:")" 2
: >"$etc/conf.d/00-wrong.yaml"
is "an empty file masks the vendor's" "$(cairn check 2>&1 | grep -c '^/')" 1
echo 'hooks: { page: { plugin: exec, command: [/bin/true] } }' >"$etc/conf.d/50-wrong.yaml"
is "a warning" "$(status_of cairn check)" 0
has "... is printed" "$(cat "$scratch/err")" '50-wrong.yaml:1:10: warning: hooks.page: no pipeline uses this hook'
is "... and may be denied" "$(status_of cairn check --deny-warnings)" 78
rm "$etc/conf.d/50-wrong.yaml"
is "no problems as JSON" "$(cairn check --format json | tr -d ' \n')" '{"problems":[],"errors":0,"warnings":0,"omitted":0}'

chmod o+w "$etc/conf.d/10-both.yaml"
has "a layer that everyone can change is refused" "$(cairn check 2>&1)" "^$etc/conf.d/10-both.yaml: .*chmod o-w"
chmod o-w "$etc/conf.d/10-both.yaml"

# ---- The policy.
cat >"$etc/policy.yaml" <<END
version: 1
lock: [engine.spool]
allow_plugins: [minidump, text, directory]
END
cat >"$scratch/program.yaml" <<END
version: 1
engine: { spool: $scratch/elsewhere }
writers: { dump: { plugin: minidump } }
pipelines: { default: { writers: [dump] } }
END
is "what a program locks out of" "$(status_of cairn run -c "$scratch/program.yaml" -- true)" 78
has "... names the policy's line" "$(cat "$scratch/err" "$scratch/out")" \
    "program.yaml:2:11: engine.spool: the policy locks this key.*$etc/policy.yaml:2:8"
has "a plugin that is not allowed" "$(cairn check 2>&1)" "30-secret.yaml:1:29: transports.up.plugin: .*policy.yaml:3:1"
sed -i '/spool/d' "$scratch/program.yaml"
has "the system's value is put on top" "$(cairn config "$scratch/program.yaml")" "^  spool: $spool$"
chmod o+w "$etc/policy.yaml"
has "a policy that others can change is refused" "$(cairn check "$scratch/program.yaml" 2>&1)" \
    "^$etc/policy.yaml: the policy cannot be trusted: .*chmod go-w"
chmod o-w "$etc/policy.yaml"

# A report that waits is not sent by a transport that is no longer allowed, nor lost.
cp "$etc/policy.yaml" "$scratch/policy.yaml"
printf 'version: 1\nallow_plugins: [minidump, text, backtrace, directory]\n' >"$etc/policy.yaml"
cat >"$scratch/waits.yaml" <<END
version: 1
engine: { spool: $scratch/waits }
writers: { dump: { plugin: minidump } }
transports: { up: { plugin: backtrace, url: "http://127.0.0.1:9/shop/abc/minidump" } }
pipelines: { default: { writers: [dump], transports: [up] } }
END
cairn run -c "$scratch/waits.yaml" -- perl -e 'kill SEGV => $$; sleep 5' >/dev/null 2>&1
tried() {
    grep -q '"last_error"\|"error"' "$scratch"/waits/perl/pending/*/report.json
}
ok "a report waits" wait_for 30 tried
sed -i 's/ backtrace,//' "$etc/policy.yaml"
is "the policy has the last word on sending" "$(status_of cairn send --spool "$scratch/waits" latest)" 78
has "... and says so" "$(cat "$scratch/err" "$scratch/out")" 'the policy does not allow the transport plugin "backtrace"'
has "the report still waits" "$(cairn list --spool "$scratch/waits")" ' pending '
cp "$scratch/policy.yaml" "$etc/policy.yaml"

# ---- The user's file: for others than root. As "nobody", where this machine lets us.
user=$scratch/home
mkdir -p "$user/.config/cairn"
rm -f "$etc/conf.d/30-secret.yaml"
echo 'application: { name: mine }' >"$user/.config/cairn/cairn.yaml"
if [ "$(id -u)" -eq 0 ]; then
    has "root has no file of its own" "$(HOME=$user cairn config --origin | grep -c "$user")" '^0$'
fi
as_user() {
    if [ "$(id -u)" -eq 0 ]; then
        HOME=$user setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
    else
        HOME=$user "$@"
    fi
}
if as_user test -r "$CAIRN_STAGE/bin/cairn" && as_user test -r "$etc/cairn.yaml"; then
    has "the user's file counts" "$(as_user cairn config --origin)" "^  name: mine +# $user/.config/cairn/cairn.yaml:1$"
    echo "engine: { spool: $user/spool }" >>"$user/.config/cairn/cairn.yaml"
    has "... but not for what is locked" "$(as_user cairn config 2>&1)" "cairn.yaml:2:11: engine.spool: the policy locks"
    sed -i 's/^lock.*/user_config: none/' "$etc/policy.yaml"
    is "... nor where the policy wants none" "$(as_user cairn config | grep -c mine)" 0
else
    skip "the user's file counts" "the installation cannot be read by others"
fi

# ---- The schema that is committed is what the tables say now.
CAIRN_PLUGIN_PATH=$CAIRN_STAGE/lib/cairn/plugins cairn config --schema >"$scratch/schema.json"
ok "the schema is JSON" python3 -m json.tool "$scratch/schema.json" "$scratch/pretty.json"
ok "config/cairn.schema.json is up to date (make schema)" \
    diff -u "$CAIRN_SRCDIR/config/cairn.schema.json" "$scratch/schema.json"

# An editor's view: what cairn check accepts is valid, and a wrong value is not.
cat >"$scratch/validate.py" <<'END'
import json, sys
import jsonschema, yaml
jsonschema.validate(yaml.safe_load(open(sys.argv[2])), json.load(open(sys.argv[1])))
END
if python3 -c 'import jsonschema, yaml' 2>/dev/null; then
    sed -n '/^## An example/,/^## Keys/p' "$CAIRN_SRCDIR/doc/configuration.md" | sed -n '/^```yaml/,/^```/p' | grep -v '^```' >"$scratch/example.yaml"
    for file in "$CAIRN_SRCDIR/config/cairn.yaml" "$scratch/example.yaml" "$etc/conf.d/40-none.yaml"; do
        ok "$(basename "$file") is valid by the schema" python3 "$scratch/validate.py" "$scratch/schema.json" "$file"
    done
    sed 's/plugin: text/plugin: text, colour: red/' "$CAIRN_SRCDIR/config/cairn.yaml" >"$scratch/wrong.yaml"
    is "control: an unknown option is not" \
        "$(status_of python3 "$scratch/validate.py" "$scratch/schema.json" "$scratch/wrong.yaml")" 1
else
    skip "what cairn check accepts is valid by the schema" "python3 has no jsonschema or yaml"
fi

# ---- A policy of somebody else: the environment cannot put another configuration or other plugins in the place of
# the system's. What is compiled in is another installation here.
mkdir -p "$scratch/machine/plugins"
cat >"$scratch/where.c" <<'END'
#include "core/util/paths.h"
#include <stdio.h>
int main(void)
{
    char plugins[4096], vendor[4096], consent[4096];
    printf("%s %s %s %s %s\n", paths_config(), paths_plugins(0, plugins, sizeof(plugins)), paths_libexec(),
           paths_vendor_folder(vendor, sizeof(vendor)), paths_user_consent(consent, sizeof(consent)));
    return 0;
}
END
ok "a program that tells where it looks" ${CC:-cc} -std=gnu11 -D_GNU_SOURCE -I"$CAIRN_SRCDIR" "-DCAIRN_LIBEXECDIR=\"M/libexec\"" \
    '-DCAIRN_PRELOAD_PATH="M/preload"' "-DCAIRN_CONFIG_PATH=\"$scratch/machine/cairn.yaml\"" '-DCAIRN_DATA_PATH="M/share"' \
    '-DCAIRN_PLUGINDIR="M/plugins"' -o "$scratch/where" "$scratch/where.c" "$CAIRN_SRCDIR/core/util/paths.c"
where() {
    "$@" env CAIRN_CONFIG=/mine/cairn.yaml CAIRN_PLUGIN_PATH=/mine/plugins CAIRN_LIBEXEC=/mine/libexec CAIRN_DATA=/mine/share \
        CAIRN_CONSENT=/mine/consent "$scratch/where"
}
mine="/mine/cairn.yaml /mine/plugins /mine/libexec /mine/share/conf.d /mine/consent"
is "without a policy the environment counts" "$(where)" "$mine"
echo "version: 1" >"$scratch/machine/policy.yaml"
is "with one's own, too" "$(where)" "$mine"
if [ "$(id -u)" -eq 0 ]; then
    is "with somebody else's it does not" "$(where setpriv --reuid 65534 --regid 65534 --clear-groups)" \
        "$scratch/machine/cairn.yaml M/plugins M/libexec M/share/conf.d /mine/consent"
    rm "$scratch/machine/policy.yaml"
    is "control: nor is it the user that matters" "$(where setpriv --reuid 65534 --regid 65534 --clear-groups)" "$mine"
else
    skip "somebody else's policy" "needs root"
fi

done_testing
