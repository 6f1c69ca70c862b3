#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The author's kit: `cairn plugin new` makes plugins of each kind that pass their tests at once, `lint` finds each
# mistake and only that, `run` shows what a plugin would contribute.
. "$CAIRN_SRCDIR/tests/lib.sh"

CC=${CC:-cc}
# Not part of the make that runs the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
PKG_CONFIG_PATH=$CAIRN_STAGE/lib/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$CAIRN_BUILDDIR/stage
LD_LIBRARY_PATH=$CAIRN_STAGE/lib
TMPDIR=$scratch
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR LD_LIBRARY_PATH TMPDIR
cd "$scratch" || exit 1

# ---- new
for kind in filter annotator writer hook transport; do
    ok "new $kind" cairn plugin new "$kind" "my-$kind"
    ok "... compiles and passes its test" make -C "my-$kind" CC="$CC" CFLAGS="-O2 -Wall -Wextra -Wshadow -Werror" check
done
# fails DESCRIPTION STATUS PATTERN COMMAND...
fails() {
    description=$1 wanted=$2 pattern=$3
    shift 3
    is "$description: status" "$(status_of "$@")" "$wanted"
    has "$description: sentence" "$(cat "$scratch/err" "$scratch/out")" "$pattern"
}
fails "new over what exists" 73 'The folder my-hook cannot be made: File exists' cairn plugin new hook my-hook
fails "new of an unknown kind" 64 'no kind "hok" \(did you mean "hook"\?\)' cairn plugin new hok mine
fails "new with an impossible name" 64 '"My Plugin" is not a plugin' cairn plugin new hook "My Plugin"
fails "new without a name" 64 'A kind and a name' cairn plugin new hook

# ---- lint: all bundled plugins
for file in "$CAIRN_STAGE"/lib/cairn/plugins/*/*.so; do
    ok "lint $(basename "$(dirname "$file")") $(basename "$file" .so)" cairn plugin lint "$file"
done

# ---- lint: each mistake is found, by the test that is meant for it
compile() {
    mistake=$1
    shift
    $CC -std=gnu11 -D_GNU_SOURCE -O1 -fno-stack-protector -w -I"$CAIRN_SRCDIR/include" "-DMISTAKE=$mistake" -fPIC -shared \
        -fvisibility=hidden -Wl,-z,now -o lint.so "$CAIRN_SRCDIR/tests/plugins/lint.c" "$@"
}
# finds MISTAKE PATTERN FLAGS...: exactly one line is not ok, and says that.
finds() {
    mistake=$1 pattern=$2
    shift 2
    ok "a plugin with the mistake $mistake compiles" compile "$mistake" "$@"
    is "lint finds it: status" "$(status_of cairn plugin lint lint.so)" 65
    is "... once" "$(grep -c '^not ok' out)" 1
    has "... by its test" "$(grep -A 1 '^not ok' out | tr '\n' ' ')" "$pattern"
}
ok "a plugin without a mistake compiles" compile NO_MISTAKE
ok "lint finds nothing" cairn plugin lint lint.so
finds LEAK 'lose no memory.*each instance that is made and destroyed loses [0-9]+ bytes'
finds DESCRIPTOR 'no descriptors.*50 instances .* leave 50 descriptors'
finds GLOBAL 'share no state.*change [0-9]+ bytes of global variables'
finds SAME_CONTEXT 'share no state.*(same context|global variables)'
finds NO_MEMORY 'without memory.*SIGSEGV'
finds BORROWED_SYMBOL 'libraries that it links to has the symbol cJSON_Print'
finds EXPORT 'It exports helper'
finds EMPTY_TEXT 'option text: .*SIGFPE'
finds LONG_TEXT 'option text: .*was ended by SIG'
finds SLOW 'in time.*did not finish within 2 s'
finds NO_HELP 'text: is documented'
finds FORMAT 'option text: .*%s%n.*was ended by SIG'
finds LINKED 'It links to libcairn' "-L$CAIRN_STAGE/lib" -lcairn
finds NO_MISTAKE 'bound when it is loaded.*-Wl,-z,now' -Wl,-z,lazy
fails "lint of a file that is no plugin" 65 'not ok 1 - .*\.yaml is a plugin' cairn plugin lint \
    "$CAIRN_STAGE/etc/cairn/cairn.yaml"
fails "lint of nothing" 66 'none.so cannot be opened' cairn plugin lint none.so
fails "lint without a file" 64 "Exactly one plugin's file" cairn plugin lint
is "lint with options" "$(status_of cairn plugin lint --options 'text: "%s"' lint.so)" 65
fails "lint with options that are none" 65 'lint" has no such option' cairn plugin lint --options 'colour: red' lint.so
has "... by a test of its own" "$(cat out)" '^not ok [0-9]+ - the options of --options are good$'

# ---- run
cat >run.yaml <<END
version: 1
application: { name: kit }
engine: { spool: $spool }
filters:
  chance: { plugin: sample, rate: 100% }
  none: { plugin: sample, rate: 0% }
annotators:
  build: { plugin: static, values: { team: payments } }
  bad: { plugin: my-annotator, attribute: "no name" }
writers: { dump: { plugin: minidump }, page: { plugin: text } }
hooks: { build: { plugin: my-hook, file: $scratch/log } }
transports: { disk: { plugin: directory, path: $scratch/copies } }
pipelines: { default: { writers: [dump] } }
END
CAIRN_PLUGIN_PATH=$scratch/my-annotator/plugins:$scratch/my-hook/plugins:$CAIRN_PLUGIN_PATH
"$CAIRN_BUILDDIR/tests/crash/dump_victim" crash crash.dmp 0 >/dev/null 2>&1
id=$(cairn process -c run.yaml crash.dmp)
cp "$(newest)/report.json" before.json
try() {
    cairn plugin run -c run.yaml --report "$id" "$1" 2>err
}
is "run of a filter that keeps" "$(try chance)" "keep"
has "run of one that drops" "$(try none)" '^drop: '
is "run of an annotator, by section" "$(try annotators.build)" "team: payments"
is "run of a hook" "$(try hooks.build)" "log: $scratch/log"
has "run of a writer" "$(try page)" '^kit crashed with SIGSEGV'
try dump >written.dmp
is "run of a writer of bytes" "$(head -c 4 written.dmp)" MDMP
is "run of a transport" "$(try disk)" "delivered (id $id)"
has "run of a plugin by its name" "$(try my-annotator)" '^load: [0-9.]+$'
has "... or by its kind, too" "$(try annotator/my-annotator)" '^load: [0-9.]+$'
ok "the report is as it was" cmp before.json "$(newest)/report.json"
fails "run of one that fails" 78 '"bad" failed: "no name" is not the name of an attribute' cairn plugin run \
    -c run.yaml bad
fails "run of two with one name" 64 'There are 2 instances named "build": say "(hooks|annotators)\.build"' \
    cairn plugin run -c run.yaml build
fails "run of nothing" 66 'neither an instance nor a plugin named "nothing"' cairn plugin run -c run.yaml nothing
fails "run of another kind" 66 'neither an instance nor a plugin named "writer/my-annotator"' cairn plugin run -c run.yaml writer/my-annotator
sed "s,path: [^ ]*copies,path: $scratch/run.yaml/copies," run.yaml >refused.yaml
is "run of a transport that does not deliver" "$(status_of cairn plugin run -c refused.yaml --report "$id" disk)" 69
has "... says why" "$(cat "$scratch/out")" '^(retry|rejected): '
fails "doc of a name with a slip" 66 'There is no plugin named "writer/minidmp" \(did you mean "minidump"\?\)' cairn plugin doc writer/minidmp
fails "run on no report" 66 'ffff' cairn plugin run -c run.yaml --report ffff build
is "without a configuration, that of the report" "$(cairn plugin run --spool "$spool" annotators.build)" "team: payments"

done_testing
