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

# ---- Another user, with a home and a spool of his own; kernels with Yama; a small memory cgroup.
nobody="setpriv --reuid 65534 --regid 65534 --clear-groups env -u CAIRN_CONSENT HOME=$scratch/home TMPDIR=$scratch/home"
# with_yama SCOPE COMMAND...: where the kernel has that module; the folder stands for the kernel's.
with_yama() {
    unshare -m sh -c 'mount -t tmpfs none /proc/sys/kernel && mkdir /proc/sys/kernel/yama &&
        echo "$1" >/proc/sys/kernel/yama/ptrace_scope && shift && exec "$@"' sh "$@"
}
if [ "$(id -u)" -eq 0 ]; then
    chmod 755 "$scratch"
    mkdir -m 700 "$scratch/home"
    sed "s,spool: [^,]*,spool: ~/spool," "$scratch/good.yaml" >"$scratch/own.yaml"
    chown 65534:65534 "$scratch/home"
fi
# shellcheck disable=SC2086 # a command with its arguments
if [ "$(id -u)" -eq 0 ] && $nobody test -r "$CAIRN_STAGE/bin/cairn"; then
    status=$(status_of $nobody cairn doctor -c "$scratch/own.yaml")
    out=$(cat "$scratch/out")
    is "another user: status" "$status" 0
    has "another user: his spool" "$out" "^ok +spool .*$scratch/home/spool"
    has "another user: tracing" "$out" '^ok +ptrace '
    has "another user: the trial's report came from tier 1" "$out" '^ok +trial .*tier 1'
    has "another user: and one from tier 2" "$out" '^ok +tier-2 .*: tier 2, [1-9][0-9]* frames'
    is "another user: his folder is private" "$(stat -c '%U %a' "$scratch/home/spool")" "nobody 700"
    if with_yama 1 true 2>/dev/null; then
        status=$(status_of with_yama 2 $nobody cairn doctor -c "$scratch/own.yaml")
        has "Yama, 2: another user" "$(cat "$scratch/out")" '^note +yama .* is 2: only CAP_SYS_PTRACE may trace'
    fi
else
    skip "another user" "needs root, and an installation that others can read"
fi
if with_yama 1 true 2>/dev/null; then
    status=$(status_of with_yama 1 cairn doctor -c "$scratch/good.yaml")
    has "Yama, 1" "$(cat "$scratch/out")" '^ok +yama .* is 1: only children and programs that agree'
    status=$(status_of with_yama 3 cairn doctor -c "$scratch/good.yaml")
    has "Yama, 3: not even root" "$(cat "$scratch/out")" '^note +yama .* is 3: nobody may trace'
else
    skip "Yama" "no folder can be mounted over the kernel's here"
fi
group=/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup 2>/dev/null)/cairn-doctor-$$
if mkdir "$group" 2>/dev/null && echo 67108864 >"$group/memory.limit_in_bytes"; then
    status=$(status_of sh -c "echo \$\$ >$group/cgroup.procs && exec cairn doctor -c $scratch/good.yaml")
    out=$(cat "$scratch/out")
    is "64 MiB of memory: status" "$status" 0
    has "64 MiB of memory: the trial's report came from tier 1" "$out" '^ok +trial .*tier 1'
    wait_for 10 rmdir "$group"
else
    skip "64 MiB of memory" "no memory cgroup of version 1 can be made here"
fi

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

# A policy is no reason for alarm: the trial has a configuration and a spool of its own, or there is none.
mkdir "$scratch/governed"
cp "$scratch/good.yaml" "$scratch/governed/cairn.yaml"
printf 'version: 1\nlock: [engine.spool]\nallow_plugins: [text, minidump]\n' >"$scratch/governed/policy.yaml"
status=$(CAIRN_CONFIG=$scratch/governed/cairn.yaml status_of cairn doctor)
is "a policy that locks the spool: status" "$status" 0
has "... the trial is made" "$(cat "$scratch/out")" '^ok +trial .*tier 1'

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
