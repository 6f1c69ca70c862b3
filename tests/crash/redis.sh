#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The main job: redis-server, which nobody here wrote and which has a SIGSEGV handler of its own, crashes under
# `cairn run`. One report, whole, readable by Breakpad's reader and LLDB; the exit status as without us.
. "$CAIRN_SRCDIR/tests/lib.sh"

if ! command -v redis-server >/dev/null; then
    skip "redis-server crashes" "redis-server is not installed"
    done_testing
fi

cat >"$scratch/cairn.yaml" <<END
version: 1
application: { name: redis, version: "7" }
engine: { spool: $spool, clocks: { claim: 10s, hold: 20s } } # a busy machine is not what is tried here
annotators:
  build:   { plugin: static, values: { team: storage } }
  system:  { plugin: system }
  process: { plugin: process, include: [age, threads, limits, cgroup, cwd] }
writers:
  dump:    { plugin: minidump, memory: stacks }
  summary: { plugin: text }
pipelines:
  default:
    annotators: [build, system, process]
    writers:    [dump, summary]
END

# crash PREFIX...: starts redis through the given command, crashes it; its status is in $status.
crash_redis() {
    rm -f "$scratch/redis.sock"
    "$@" redis-server --port 0 --unixsocket "$scratch/redis.sock" --save '' --dir "$scratch" \
        --enable-debug-command local >"$scratch/redis.log" 2>&1 &
    redis=$!
    started="$started $redis"
    wait_for 20 redis-cli -s "$scratch/redis.sock" ping
    redis-cli -s "$scratch/redis.sock" debug segfault >/dev/null 2>&1
    wait "$redis"
    status=$?
}

crash_redis env
plain=$status
is "without Cairn redis dies of SIGSEGV" "$plain" 139
crash_redis cairn run -c "$scratch/cairn.yaml" --
is "under cairn run its exit status is the same" "$status" "$plain"
ok "redis's own handler was chained: its log has its bug report" grep -q 'REDIS BUG REPORT START' "$scratch/redis.log"
ok "the report is committed" wait_for 30 committed 1

folder=$(newest)
report=$folder/report.json
is "there is exactly one report" "$(find "$spool" -name report.json | wc -l)" 1
ok "nothing is left in incoming" sh -c "[ -z \"\$(ls '$spool'/redis/incoming)\" ]"
is "kind" "$(field "$report" kind)" crash
is "tier" "$(field "$report" tier)" 1
is "signal" "$(field "$report" crash.signal)" SIGSEGV
is "application" "$(field "$report" application.name)" redis
is "pid" "$(field "$report" crash.pid)" "$redis"
is "tid of the main thread" "$(field "$report" crash.tid)" "$redis"
is "attribute of the static annotator" "$(field "$report" attributes.team)" storage
has "uname is annotated" "$(cat "$report")" '"uname.sysname": *"Linux"'
has "a signature of 32 digits" "$(field "$report" signature)" '^[0-9a-f]{32}$'
is "no notes: nothing is missing" "$(field "$report" notes)" "[]"
has "the first frame is in redis's own module" "$(field "$report" frames.0.module)" '^redis-(server|check-rdb)$'
has "the walk reaches the program's start" "$(cat "$report")" '_start|__libc_start'
ok "the summary for people is there" grep -q SIGSEGV "$folder/summary.txt"

dump=$folder/dump.dmp
is "the artifact's digest is the file's" \
    "$(sha256sum "$dump" | cut -d' ' -f1)" \
    "$(python3 -c 'import json,sys; print([a["sha256"] for a in json.load(open(sys.argv[1]))["artifacts"] if a["name"] == "dump.dmp"][0])' "$report")"
if have_readers; then
    walked=$(stackwalk "$dump")
    has "stackwalk: the reason" "$walked" '^Crash reason: *SIGSEGV'
    has "stackwalk: the crashed thread" "$walked" '^Thread 0 \(crashed\)'
    has "stackwalk: frame 0 lies in redis's own module" "$walked" '^ 0  redis-(server|check-rdb) \+ 0x[0-9a-f]+'
    is "stackwalk and report agree on module and offset" \
        "$(printf '%s\n' "$walked" | sed -n 's/^ 0  [^ ]* + \(0x[0-9a-f]*\).*/\1/p' | head -n 1)" \
        "$(field "$report" frames.0.module_offset)"
    has "minidump_dump lists its threads" "$(minidump_dump "$dump")" 'MDRawThread|thread\[0\]'
else
    skip "Breakpad's readers" "they are not installed (./check does it)"
fi
if command -v lldb >/dev/null; then
    has "LLDB walks to main" "$(timeout 60 lldb --batch -c "$dump" -o 'bt' 2>&1)" 'SIGSEGV|signal SIGSEGV|frame #[3-9]'
fi

crash_redis cairn run -c "$scratch/cairn.yaml" --
ok "a second crash is reported too" wait_for 30 committed 2
is "the signature is the same in another run" "$(field "$(newest)/report.json" signature)" "$(field "$report" signature)"
has "cairn list shows both" "$(cairn list --spool "$spool" | wc -l)" '^3$'
has "cairn show tells the reason" "$(cairn show --spool "$spool" latest)" '^Signal +SIGSEGV'
is "cairn show --json is report.json" "$(cairn show --spool "$spool" --json latest | python3 -c 'import json,sys; print(json.load(sys.stdin)["id"])')" "$(basename "$(newest)")"

done_testing
