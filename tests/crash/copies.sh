#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Several copies of the library in one process, in any combination: one report per handler, each with
# what its own copy said, and the true status; and reports of other processes.
. "$CAIRN_SRCDIR/tests/lib.sh"

CC=${CC:-cc}
build="$CC -std=gnu11 -g -O1 -Wall -Werror -I$CAIRN_STAGE/include"
source=$CAIRN_SRCDIR/tests/crash
shared="-L$CAIRN_STAGE/lib -Wl,-rpath,$CAIRN_STAGE/lib -lcairn"
static=$CAIRN_STAGE/lib/libcairn.a
export_flags=$(sed -n 's/^Libs.private: *//p' "$CAIRN_STAGE/lib/pkgconfig/cairn.pc")
ok "a program with the shared library" $build -o "$scratch/shared" "$source/copies.c" $shared
ok "... with a copy of its own, linked as cairn.pc says" $build -o "$scratch/static" "$source/copies.c" "$static" $export_flags
ok "... with a copy that it does not export" $build -o "$scratch/hidden" "$source/copies.c" "$static"
ok "... without" $build -DWITHOUT_CAIRN -o "$scratch/bare" "$source/copies.c"
ok "a plug-in with the shared library" $build -fPIC -shared -o "$scratch/plugin-shared.so" "$source/copies_plugin.c" $shared
for name in one two; do
    ok "a plug-in with a copy of its own, $name" $build -fPIC -shared -o "$scratch/plugin-$name.so" \
        "$source/copies_plugin.c" "$static"
done
for application in outer program plugin second; do
    cat >"$scratch/$application.yaml" <<END
version: 1
application: { name: $application }
engine: { spool: $spool }
writers: { dump: { plugin: minidump } }
pipelines: { default: { writers: [dump] } }
END
done
program=$scratch/program.yaml
plugin=$scratch/plugin.yaml

reports_of() {
    find "$spool/$1" -path '*/incoming' -prune -o -name report.json -print 2>/dev/null
}
# What every report so far says: application and attribute, in alphabetical order.
made() {
    for application in outer program plugin second; do
        for report in $(reports_of $application); do
            who=$(sed -n 's/^ *"who": "\(.*\)".*/\1/p' "$report")
            echo "$application:${who:--}"
        done
    done | tr '\n' ' '
}
# ends STATUS WHAT REPORTS OUTPUT COMMAND...: the status, the reports that are made, what is printed.
ends() {
    status=$1 what=$2 wanted=$3 output=$4
    shift 4
    rm -rf "$spool"
    is "$what: it dies of its true signal" "$(status_of timeout 20 "$@")" "$status"
    is "$what: what was said" "$(sed 's/: no error$//' "$scratch/out" | tr '\n' ' ')" "$output"
    if [ -n "$wanted" ]; then
        wait_for 20 committed "$(echo "$wanted" | wc -w)"
    fi
    is "$what: one report per handler" "$(made)" "$wanted"
}

crash() {
    ends 139 "$@" crash
}

# ---- preload and embedded
crash "preload and shared" "outer:- program:program " "kernel: new start set kernel: the same " \
    cairn run -c "$scratch/outer.yaml" -- "$scratch/shared" kernel start "$program" kernel
crash "preload and static" "outer:- program:program " "kernel: new start set kernel: the same " \
    cairn run -c "$scratch/outer.yaml" -- "$scratch/static" kernel start "$program" kernel
crash "preload and static, not exported" "outer:- program:program " "kernel: new start set kernel: new " \
    cairn run -c "$scratch/outer.yaml" -- "$scratch/hidden" kernel start "$program" kernel
crash "preload, shared and a plug-in" "outer:- program:program plugin:plug-in " "start set load " \
    cairn run -c "$scratch/outer.yaml" -- "$scratch/shared" start "$program" load "$scratch/plugin-one.so" "$plugin"
crash "stopped under the preload" "outer:- " "start set stop " \
    cairn run -c "$scratch/outer.yaml" -- "$scratch/shared" start "$program" stop

# ---- program and plug-in
for binary in shared static; do
    for kind in shared one; do
        crash "$binary with plug-in $kind" "program:program plugin:plug-in " "start set kernel: new load kernel: the same " \
            "$scratch/$binary" start "$program" kernel load "$scratch/plugin-$kind.so" "$plugin" kernel
    done
done
crash "not exported, with a plug-in" "program:program plugin:plug-in " "start set kernel: new load kernel: new " \
    "$scratch/hidden" start "$program" kernel load "$scratch/plugin-one.so" "$plugin" kernel
crash "two plug-ins that do not see each other" "plugin:plug-in second:plug-in " "load kernel: new load kernel: the same " \
    "$scratch/bare" load "$scratch/plugin-one.so" "$plugin" kernel load "$scratch/plugin-two.so" "$scratch/second.yaml" kernel

# ---- stop and unload in any order
for binary in static hidden; do
    crash "$binary: the program stops first" "plugin:plug-in " "start set load stop " \
        "$scratch/$binary" start "$program" load "$scratch/plugin-one.so" "$plugin" stop
    crash "$binary: the plug-in stops first, and is unloaded" "program:program " "start set load unstart " \
        "$scratch/$binary" start "$program" load "$scratch/plugin-one.so" "$plugin" unstart unload
    crash "$binary: both stop" "" "start set load stop unstart " \
        "$scratch/$binary" start "$program" load "$scratch/plugin-one.so" "$plugin" stop unstart unload
    crash "$binary: the program starts again" "program:program plugin:plug-in " "start set load stop start set " \
        "$scratch/$binary" start "$program" load "$scratch/plugin-one.so" "$plugin" stop start "$program"
done
# Each is before the other one there, and is called by it.
again="start $program load $scratch/plugin-one.so $plugin stop start $program"
ends 134 "in a circle, abort" "program:program plugin:plug-in " "start set load stop start set " \
    "$scratch/hidden" $again abort
ends 159 "in a circle, a sent signal" "program:program plugin:plug-in " "start set load stop start set " \
    "$scratch/hidden" $again raise 31
ends 139 "in a circle, a fork child" "program:program plugin:plug-in " "start set load stop start set " \
    "$scratch/hidden" $again fork crash
twice="$again unstart load $scratch/plugin-one.so $plugin stop start $program"
ends 134 "twice round the circle, abort" "program:program plugin:plug-in " \
    "start set load stop start set unstart load stop start set " "$scratch/hidden" $twice abort
ends 136 "twice round the circle, a sent signal" "program:program plugin:plug-in " \
    "start set load stop start set unstart load stop start set " "$scratch/hidden" $twice raise 8
crash "the first of two plug-ins is unloaded" "second:plug-in " "load unstart load " \
    "$scratch/bare" load "$scratch/plugin-one.so" "$plugin" unstart unload load "$scratch/plugin-two.so" "$scratch/second.yaml"

# ---- other versions' tables
for members in 2 12; do
    $build -DMEMBERS=$members -fPIC -shared -o "$scratch/table-$members.so" "$source/copies_table.c"
done
crash "an older copy that cannot do it all is left alone" "program:program " "start set " \
    env LD_PRELOAD="$scratch/table-2.so" "$scratch/shared" start "$program"
LD_PRELOAD="$scratch/table-12.so" "$scratch/shared" start "$program" >"$scratch/out" 2>&1
has "a newer one is in charge" "$(cat "$scratch/out")" '^the other version was called$'

# ---- another process
cat >"$scratch/child.c" <<'END'
#include <pthread.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>
__attribute__((noinline)) void blamed(void) { pause(); pause(); }
static void *run(void *unused) { printf("%ld\n", syscall(SYS_gettid)); fflush(stdout); blamed(); return unused; }
int main(void) { pthread_t thread; pthread_create(&thread, NULL, run, NULL); pthread_join(thread, NULL); return 0; }
END
$CC -g -O0 -pthread -o "$scratch/child" "$scratch/child.c"
"$scratch/child" >"$scratch/tid" &
child=$!
started="$started $child"
wait_for 5 test -s "$scratch/tid"
tid=$(cat "$scratch/tid")
# dump USER PID TID: what was answered (PID self: of the program itself), in $answer and $report. 0: no other user than now.
dump() {
    rm -rf "$spool"
    "$scratch/shared" start "$program" drop "$1" dump "$2" "$3" >"$scratch/out" 2>&1
    answer=$(sed -n 's/^dump: //p' "$scratch/out")
    id=$(sed -n 's/^id: //p' "$scratch/out")
    report=$spool/program/delivered/$id/report.json
}
me=$(id -u)
dump "$me" "$child" "$tid"
is "a child with a blamed thread" "$answer" "no error"
ok "... its report is committed" wait_for 20 test -f "$report"
is "... of kind request, with the message" "$(field "$report" kind) $(field "$report" crash.message)" "request asked for"
is "... about the child and that thread" "$(field "$report" crash.pid) $(field "$report" crash.tid)" "$child $tid"
has "... where it stands" "$(cat "$report")" '"symbol": *"blamed"'
is "... with the annotations of who asked" "$(made)" "program:program "
if have_readers; then
    has "... stackwalk agrees" "$(stackwalk "${report%/*}/dump.dmp" | sed -n '/^Thread/,/^$/p' | head -20)" 'child'
fi
ok "... and the child lives on" kill -0 "$child"
dump "$me" "$child" 0
is "no thread in particular" "$answer" "no error"
ok "... its report is committed" wait_for 20 test -f "$report"
is "... about the main thread" "$(field "$report" crash.tid)" "$child"
dump "$me" "$child" $$
is "a thread of another process" "$answer" "there is nothing of that name"
dump "$me" "$tid" 0
is "a thread's number is not a process's" "$answer" "there is nothing of that name"
dump "$me" self 0
is "the program itself" "$answer" "no error"
dump "$me" self "$tid"
is "... without that thread" "$answer" "there is nothing of that name"
sh -c 'exit 0' &
gone=$!
wait "$gone"
dump "$me" "$gone" 0
is "a process that is gone" "$answer" "there is nothing of that name"
dump "$me" -1 0
is "no process" "$answer" "an argument is not valid"
# The monitor of a program that has dropped its rights still has them.
if [ "$me" = 0 ]; then
    chmod 755 "$scratch"
    dump 65534 "$child" "$tid"
    is "a program without the right to it" "$answer" "the owner or the permissions are not safe, or access is denied"
    ok "... has no report of it" test -z "$(reports_of program)"
    setpriv --reuid 65534 --regid 65534 --clear-groups "$scratch/child" >"$scratch/tid2" &
    other=$!
    started="$started $other"
    wait_for 5 test -s "$scratch/tid2"
    dump 65534 "$other" "$(cat "$scratch/tid2")"
    is "but to its own user's process it has" "$answer" "no error"
else
    dump "$me" 1 0
    is "another user's process" "$answer" "the owner or the permissions are not safe, or access is denied"
fi

done_testing
