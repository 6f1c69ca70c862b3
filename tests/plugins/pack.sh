#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The plugins that stretch the contract, end to end on real crashes: ratelimit over restarts, module, uptime;
# container, file, memory, redact; json; launch_reporter.
. "$CAIRN_SRCDIR/tests/lib.sh"

reporter=$scratch/reporter
cat >"$reporter" <<END
#!/bin/sh
# Takes the file that it is given, as a reporter must, and outlives the step.
sleep 0.3
mv "\$1" "$scratch/records.part" && mv "$scratch/records.part" "$scratch/records"
END
chmod +x "$reporter"
mkdir "$scratch/tmp"

cat >"$scratch/program.py" <<END
import ctypes, sys
print("order 17 by jo.doe@example.com", file=open(sys.argv[1], "a"))
ctypes.string_at(16)
END

# configuration FILE MIN MODULE
configuration() {
    cat >"$1" <<END
version: 1
application: { name: pack }
engine: { spool: $spool }
filters:
  storm: { plugin: ratelimit, max: 2, per: 1h, by: signature }
  mine:  { plugin: module, modules: ["$3"], frames: 64 }
  old:   { plugin: uptime, min: $2, max: 1h }
annotators:
  where:  { plugin: container }
  log:    { plugin: file, path: $scratch/shop.log, lines: 3 }
  memory: { plugin: memory }
  team:   { plugin: static, values: { contact: "ops@example.com", host: "10.20.30.40" } }
  scrub:  { plugin: redact, patterns: [email, ipv4], regex: ["order [0-9]+"], on_error: drop }
writers:
  dump: { plugin: minidump }
  backtrace: { plugin: json }
hooks:
  ask: { plugin: launch_reporter, program: $reporter, folder: $scratch/tmp,
         values: { BreakpadURL: "https://crash.example.com/" } }
pipelines:
  default:
    filters:    [old, mine, storm]
    annotators: [where, log, memory, team, scrub]
    writers:    [dump, backtrace]
    hooks:      [ask]
END
}
configuration "$scratch/cairn.yaml" 1ms "*_ctypes*"
is "the configuration is good" "$(status_of cairn check "$scratch/cairn.yaml")" 0

printf 'first\nsecond\nthird\n' >"$scratch/shop.log.1"
drops=$spool/pack/drops.json

# crash CONFIGURATION: once the one before is dealt with; a report that is worked on is not replaced by a newer one.
crash() {
    wait_for 30 idle
    cairn run -c "$1" -- /usr/bin/python3 "$scratch/program.py" "$scratch/shop.log" >"$scratch/out" 2>"$scratch/err"
}

# dropped NAME COUNT: the application's drops.json says so.
dropped() {
    [ "$(field "$drops" "$1" 2>/dev/null)" = "$2" ]
}

crash "$scratch/cairn.yaml"
is "the program's status" "$?" 139
ok "a report" wait_for 30 committed 1
folder=$(newest)
report=$folder/report.json

is "no note but of what this machine lacks" "$(field "$report" notes)" "[]"
is "file: the log and what was rotated, redacted" "$(field "$report" attributes | python3 -c '
import json, sys
print(json.load(sys.stdin)["file.log"])')" "second
third
[redacted] by [email]"
is "redact: an attribute" "$(field "$report" attributes.contact)" "[email]"
is "redact: another one" "$(field "$report" attributes.host)" "[ipv4]"
attributes=$(field "$report" attributes)
has "memory: of the process" "$attributes" '"vm.rss.peak": [0-9]{6,}'
has "memory: of the machine" "$attributes" '"system.memory.total": [0-9]+'
has "memory: the kernel's choice" "$attributes" '"process.oom.score": [0-9]+'
has "memory: and its adjustment" "$attributes" '"process.oom.adjustment": -?[0-9]+'

is "json: an artifact" "$(field "$folder/backtrace.json" uuid)" "$(field "$report" id)"
tid=$(field "$folder/backtrace.json" mainThread)
is "json: the thread that crashed" "$tid" "$(field "$report" crash.tid)"
is "json: it is at fault" "$(field "$folder/backtrace.json" "threads.$tid.fault")" true
is "json: classifiers" "$(field "$folder/backtrace.json" classifiers)" '["SIGSEGV", "SEGV_MAPERR"]'
is "json: frames" "$(python3 -c '
import json, sys
json_report, report = (json.load(open(name)) for name in sys.argv[1:])
stack = json_report["threads"][json_report["mainThread"]]["stack"]
frames = report["frames"] if "frames" in report else report["crash"]["frames"]
print(len(stack) == len(frames) and [int(f["address"]) for f in stack] == [int(f["address"], 16) for f in frames])
' "$folder/backtrace.json" "$report")" True
ok "json: no text that was redacted" sh -c "! grep -q 'jo.doe\|ops@' '$folder/backtrace.json'"

ok "launch_reporter: the reporter has the file" wait_for 10 test -e "$scratch/records"
cat >"$scratch/records.py" <<'END'
import sys
data, records = open(sys.argv[1], "rb").read(), {}
while data:
    key, length, rest = data.split(b"\n", 2)
    records[key.decode()], end, data = rest[:int(length)].decode(), rest[int(length):][:1], rest[int(length) + 1:]
    assert end == b"\n"
print(records.get(sys.argv[2], "-"))
END
record() {
    python3 "$scratch/records.py" "$scratch/records" "$1"
}
is "launch_reporter: the id" "$(record CairnId)" "$(field "$report" id)"
is "launch_reporter: the folder" "$(record MinidumpDir)" "$folder"
is "launch_reporter: the minidump" "$(record MinidumpID)" "dump"
is "launch_reporter: an attribute" "$(record BREAKPAD_SERVER_PARAMETER_contact)" "[email]"
is "launch_reporter: a value" "$(record BreakpadURL)" "https://crash.example.com/"
is "launch_reporter: no file is left" "$(ls "$scratch/tmp")" ""

# The same crash again: every one has processes of its own, the limit is the application's.
crash "$scratch/cairn.yaml"
ok "ratelimit: the second is kept" wait_for 30 committed 2
is "ratelimit: without a note" "$(field "$(newest)/report.json" notes)" "[]"
crash "$scratch/cairn.yaml"
ok "ratelimit: the third is kept as the newest" wait_for 30 committed 3
third=$(newest)
has "ratelimit: ... and says so" "$(field "$third/report.json" notes)" 'storm: It is the newest beyond 2 of the same signature'
crash "$scratch/cairn.yaml"
ok "ratelimit: the fourth takes its place" wait_for 30 dropped storm 1
ok "ratelimit: the third is gone" test ! -e "$third"
ok "ratelimit: the first two and the newest" committed 3
has "ratelimit: ... counts" "$(field "$(newest)/report.json" notes)" '1 before it were dropped'
sed 's/by: signature/by: signature, newest: false/' "$scratch/cairn.yaml" >"$scratch/strict.yaml"
crash "$scratch/strict.yaml"
ok "ratelimit: without the newest it is dropped" wait_for 30 dropped storm 2
is "ratelimit: no more reports" "$(find "$spool/pack" -name report.json | wc -l)" 3
state=$spool/pack/state/filter-storm
is "ratelimit: its state file is private" "$(stat -c '%a %F' "$state")" "600 regular file"
ok "cairn list is not disturbed by the folder of states" cairn list --spool "$spool"

# A state file that is none of its own is refused: then everything is kept, and the report says why.
rm "$state" && ln -s /etc/hostname "$state"
crash "$scratch/cairn.yaml"
ok "ratelimit: kept when its state cannot be had" wait_for 30 committed 4
has "ratelimit: ... and noted" "$(field "$(newest)/report.json" notes)" 'filter .*storm.* failed: Without its state file'
rm "$state"

configuration "$scratch/young.yaml" 10m "*_ctypes*"
crash "$scratch/young.yaml"
ok "uptime: too young" wait_for 30 dropped old 1
configuration "$scratch/other.yaml" 1ms "libnothing*"
crash "$scratch/other.yaml"
ok "module: not among its modules" wait_for 30 dropped mine 1

# With a transport the newest is not delivered before the period allows it.
sed -e "s|^hooks:|transports: { copy: { plugin: directory, path: $scratch/copies } }\\n&|" \
    -e 's/^    hooks: .*/    transports: [copy]/' -e 's/name: pack/name: sent/' -e 's/max: 2/max: 1/' \
    "$scratch/cairn.yaml" >"$scratch/sent.yaml"
crash "$scratch/sent.yaml"
ok "ratelimit: the first is delivered" wait_for 30 sh -c "ls -d '$spool'/sent/delivered/*/"
crash "$scratch/sent.yaml"
ok "ratelimit: the newest waits" wait_for 30 sh -c "ls -d '$spool'/sent/pending/*/"
ok "ratelimit: ... as long as that" cairn send -c "$scratch/sent.yaml" --due
first=$(basename "$spool"/sent/pending/*)
has "ratelimit: ... for a time" "$(field "$spool/sent/pending/$first/report.json" deliveries)" '"next": "'
crash "$scratch/sent.yaml"
ok "ratelimit: a newer one waits in its place" wait_for 30 test ! -e "$spool/sent/pending/$first"
is "ratelimit: one waits, one was delivered" "$(ls "$spool/sent/pending" | wc -l) $(ls "$spool/sent/delivered" | wc -l)" "1 1"
rm -rf "$spool/sent"

# What a program says itself: the message and the breadcrumbs, by an embedding program.
cat >"$scratch/embed.c" <<'END'
#include <cairn/cairn.h>
#include <stdio.h>
int main(int argc, char **argv)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    char error[1024], id[37];

    options.config_file = argv[argc - 1];
    if (cairn_start(&options, NULL, error, sizeof(error)) != 0) {
        fprintf(stderr, "%s\n", error);
        return 1;
    }
    cairn_breadcrumb(NULL, "mail", "sent to ann@example.com");
    cairn_breadcrumb(NULL, "mail", "nothing to hide");
    return cairn_dump(NULL, "cannot reach 10.1.2.3", id) != 0;
}
END
sed -e 's/filters: .*/filters: []/' -e 's/hooks: .*/hooks: []/' "$scratch/cairn.yaml" >"$scratch/embed.yaml"
${CC:-cc} -I"$CAIRN_STAGE/include" -o "$scratch/embed" "$scratch/embed.c" -L"$CAIRN_STAGE/lib" -lcairn \
    -Wl,-rpath,"$CAIRN_STAGE/lib"
ok "the embedding program ends well" "$scratch/embed" "$scratch/embed.yaml"
ok "its report" wait_for 30 committed 5
report=$(newest)/report.json
is "redact: the message" "$(field "$report" crash.message)" "cannot reach [ipv4]"
has "redact: a breadcrumb" "$(cat "$report")" '"sent to \[email\]"'
has "redact: another one stays" "$(cat "$report")" '"nothing to hide"'

done_testing
