#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# container and memory where they have something to say: in control groups that are named as Docker's and
# Kubernetes' are, with a limit of memory, and in namespaces like those of a container. All real reports.
. "$CAIRN_SRCDIR/tests/lib.sh"

id=0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
pod=11111111-2222-3333-4444-555555555555
cat >"$scratch/cairn.yaml" <<END
version: 1
application: { name: boxed }
engine: { spool: $spool }
annotators: { where: { plugin: container }, memory: { plugin: memory } }
writers: { dump: { plugin: minidump } }
pipelines: { default: { annotators: [where, memory], writers: [dump] } }
END
is "the configuration is good" "$(status_of cairn check "$scratch/cairn.yaml")" 0

# crash COMMAND...: a report of a program that was started by the command.
crash() {
    rm -rf "$spool"
    "$@" cairn run -c "$scratch/cairn.yaml" -- perl -e '$x = "x" x 8000000; kill SEGV => $$; sleep 5' >/dev/null 2>"$scratch/err"
    wait_for 30 committed 1
    report=$(newest)/report.json
    python3 -c 'import json, sys
for name, value in json.load(open(sys.argv[1]))["attributes"].items():
    print(name, value)' "$report" >"$scratch/attributes"
}
# attribute NAME: "-" when it is absent.
attribute() {
    value=$(sed -n "s/^$1 //p" "$scratch/attributes")
    echo "${value:--}"
}
# container: its id, name, runtime and pod, as the report has them.
container() {
    echo "$(attribute container.id) $(attribute container.name) $(attribute container.runtime) $(attribute k8s.pod.uid)"
}
# at_least ATTRIBUTE NUMBER: it is a number, and not smaller.
at_least() {
    [ "$(attribute "$1")" -ge "$2" ]
}

ok "a report from outside" crash env
is "container: none of it" "$(grep -c -e "$id" -e "$pod" "$scratch/attributes")" 0
ok "memory: the address space" at_least vm.vma.size 8000000
ok "memory: what of it is there" at_least vm.rss.size 8000000
ok "memory: at most" at_least vm.rss.peak "$(attribute vm.rss.size)"
is "memory: of files and of none" "$(attribute vm.rss.size)" \
    "$(($(attribute vm.rss.anonymous) + $(attribute vm.rss.file) + $(attribute vm.rss.shared)))"

# ---- Control groups. They go with the test, the innermost first.
made=
remove_groups() {
    for group in $made; do
        wait_for 5 rmdir "$group"
    done
}
trap 'remove_groups; finish' EXIT
# own_group HIERARCHY: the folder of the group that we are in.
own_group() {
    case $1 in
    memory) echo "/sys/fs/cgroup/memory$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)" ;;
    2) echo "$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)$(sed -n 's/^0:://p' /proc/self/cgroup)" ;;
    esac
}
# make_groups BASE NAME...: each within the one before; $group is the last one's folder.
make_groups() {
    group=$1
    shift
    for name in "$@"; do
        group=${group%/}/$name
        mkdir "$group" 2>/dev/null || return 1
        made="$group $made"
    done
}
cat >"$scratch/within" <<'END'
#!/bin/sh
# within GROUP COMMAND...
group=$1
shift
echo $$ >"$group/cgroup.procs" && exec "$@"
END
chmod +x "$scratch/within"

if make_groups "$(own_group memory)" "cairn-test-$$" docker "$id" && echo 268435456 >"$group/memory.limit_in_bytes"; then
    version=1
elif make_groups "$(own_group 2)" "cairn-test-$$" docker "$id" && echo 268435456 2>/dev/null >"$group/memory.max"; then
    version=2
else
    version=
fi
if [ -n "$version" ] && "$scratch/within" "$group" true 2>/dev/null; then
    ok "a report from a memory group of version $version" crash "$scratch/within" "$group"
    is "container: Docker's" "$(container)" "$id - docker -"
    is "memory: the group's limit" "$(attribute cgroup.memory.limit)" 268435456
    ok "memory: what the group uses" at_least cgroup.memory.size 4096
    ok "memory: ... and what happened there" test "$version" = 1 -o "$(attribute cgroup.memory.events.oom_kill)" = 0
else
    skip "a report from a memory group" "no memory group with a limit can be made here"
fi

slice=$(echo $pod | tr - _)
if make_groups "$(own_group 2)" "kubepods-test$$.slice" "kubepods-burstable-pod$slice.slice" "cri-containerd-$id.scope" &&
    "$scratch/within" "$group" true 2>/dev/null; then
    ok "a report from a group of version 2" crash "$scratch/within" "$group"
    is "container: Kubernetes', by its slice" "$(container)" "$id - containerd $pod"
    is "container: the pod's name is the host's" "$(attribute k8s.pod.name)" "$(uname -n)"
else
    skip "a report from a group of version 2" "no group of version 2 can be made here"
fi

# ---- Namespaces: the group is not to be seen, the mounts tell.
mkdir -p "$scratch/containers/$id" "$scratch/pods/$pod"
echo boxed-7d4f >"$scratch/containers/$id/hostname"
echo '127.0.0.1 localhost' >"$scratch/pods/$pod/etc-hosts"
cat >"$scratch/inside" <<END
#!/bin/sh
# inside COMMAND...: with a host's name and mounts as a kubelet makes them.
hostname boxed-7d4f 2>/dev/null || echo boxed-7d4f >/proc/sys/kernel/hostname || exit 1
mount --bind "$scratch/containers/$id/hostname" /etc/hostname && mount --bind "$scratch/pods/$pod/etc-hosts" /etc/hosts || exit 1
exec "\$@"
END
chmod +x "$scratch/inside"
# Not in a user namespace of somebody else's: there the installed plugins belong to nobody who is known.
if unshare --mount --uts --cgroup "$scratch/inside" true 2>/dev/null; then
    ok "a report from namespaces of its own" crash unshare --mount --uts --cgroup "$scratch/inside"
    is "container: by its mounts" "$(attribute container.id) $(attribute k8s.pod.uid)" "$id $pod"
    is "container: the pod's name" "$(attribute k8s.pod.name)" boxed-7d4f
else
    skip "a report from namespaces of its own" "no namespaces can be made here without being root"
fi

done_testing
