#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# cairn doctor: what it says where all is well, and that it finds each thing that is not.
. "$CAIRN_SRCDIR/tests/lib.sh"

cat >"$scratch/good.yaml" <<END
version: 1
engine: { spool: $spool, limits: { free: 1MiB } }
writers: { dump: { plugin: minidump } }
pipelines: { default: { writers: [dump] } }
END
TMPDIR=$scratch
export TMPDIR

# doctor [ARGUMENT...]: its exit status is $status, what it prints $out.
doctor() {
    status=$(status_of cairn doctor -c "$scratch/good.yaml" "$@")
    out=$(cat "$scratch/out")
}

# ---- All is well.
doctor /bin/sleep
is "all is well: status" "$status" 0
for name in kernel ptrace memfd pidfd deaths configuration plugins spool space consent program trial; do
    has "all is well: $name" "$out" "^(ok|note) +$name "
done
has "the trial's report came from tier 1" "$out" '^ok +trial .*tier 1'
has "a crash without a monitor is captured by tier 2" "$out" '^ok +tier-2 .*: tier 2, [1-9][0-9]* frames'
has "... without ptrace" "$out" '^ok +tier-2-copy .*: tier 2, [1-9][0-9]* frames'
has "... without another process" "$out" '^ok +tier-3 .*: tier 3, [1-9][0-9]* frames'
is "nothing of the trial is left" "$(find "$scratch" -name 'cairn-doctor-*')" ""
is "nothing went to the standard error" "$(cat "$scratch/err")" ""
cairn doctor --json -c "$scratch/good.yaml" >"$scratch/doctor.json"
is "--json: ok" "$(field "$scratch/doctor.json" ok)" true
has "--json: findings" "$(field "$scratch/doctor.json" findings)" '"verdict": "ok"'
is "two programs are too many" "$(status_of cairn doctor a b)" 64
is "the program that it lets crash" "$(status_of cairn doctor --crash)" 139

# ---- What is not.
bad() {
    is "$1: status" "$status" 1
    has "$1: said" "$out" "$2"
}
printf '#!/bin/sh\n/bin/true\n' >"$scratch/script"
chmod +x "$scratch/script"
doctor "$scratch/script"
has "a script can be run" "$out" '^ok +program .*script\.$'
has "... and what it starts takes an option" "$out" '^note +program .*--children'
doctor "$scratch/no-such-program"
bad "a program that does not exist" '^bad +program .*no-such-program'
printf 'int main(void) { return 0; }\n' >"$scratch/static.c"
${CC:-cc} -static -o "$scratch/static" "$scratch/static.c"
doctor "$scratch/static"
bad "a static program" '^bad +program .*static'

sed 's/plugin: minidump/plugin: minidmp/' "$scratch/good.yaml" >"$scratch/bad.yaml"
status=$(status_of cairn doctor -c "$scratch/bad.yaml") out=$(cat "$scratch/out")
bad "a bad configuration" '^bad +configuration .*bad.yaml:3:.*minidmp'

cairn consent refuse disk network
doctor
bad "refused consent" '^bad +consent +Reports are not kept\. The user refused'
has "... and to the network" "$out" '^note +consent +Reports do not leave'
has "... lets nothing crash" "$out" '^note +trial +No program is let crash'
cairn consent forget disk network

sed 's/free: 1MiB/free: 900000000GiB/' "$scratch/good.yaml" >"$scratch/space.yaml"
status=$(status_of cairn doctor -c "$scratch/space.yaml") out=$(cat "$scratch/out")
bad "too little space" '^bad +space '

mkdir -p "$scratch/plugins/annotator"
cp "$CAIRN_STAGE/lib/cairn/plugins/annotator/static.so" "$scratch/plugins/annotator/"
chmod 666 "$scratch/plugins/annotator/static.so"
status=$(CAIRN_PLUGIN_PATH=$scratch/plugins:$CAIRN_PLUGIN_PATH status_of cairn doctor -c "$scratch/good.yaml")
out=$(cat "$scratch/out")
bad "a plugin that others can change" '^bad +plugins .*static.so can be changed by others'

# The trial needs the monitor; the rest does not.
mkdir "$scratch/libexec"
ln -s "$CAIRN_LIBEXEC/cairn-engine" "$CAIRN_LIBEXEC/cairn-sender" "$scratch/libexec/"
status=$(CAIRN_LIBEXEC=$scratch/libexec status_of cairn doctor -c "$scratch/good.yaml")
out=$(cat "$scratch/out")
bad "no monitor" '^bad +trial '
has "no monitor: the rest is judged all the same" "$out" '^ok +configuration '

# A tracer that is there already stands for a kernel that forbids tracing.
if command -v strace >/dev/null 2>&1; then
    status=$(status_of strace -f -o /dev/null cairn doctor -c "$scratch/good.yaml")
    out=$(cat "$scratch/out")
    bad "tracing is refused" '^bad +ptrace .*not permitted'
else
    skip "tracing is refused" "strace is not installed"
fi
ulimit -f 1024
doctor
bad "files may not grow" '^bad +limits .*RLIMIT_FSIZE'

done_testing
