#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The command line: help, versions, exit codes, and one clear sentence for every bad input.
. "$CAIRN_SRCDIR/tests/lib.sh"

# fails DESCRIPTION STATUS PATTERN COMMAND...
fails() {
    description=$1 wanted=$2 pattern=$3
    shift 3
    is "$description: status" "$(status_of "$@")" "$wanted"
    has "$description: sentence" "$(cat "$scratch/err" "$scratch/out")" "$pattern"
}

# An engine that hangs, on a disk that does not answer, say. What becomes of it is looked at in the end.
mkdir "$scratch/hanging"
printf '#!/bin/sh\nexec sleep 600\n' >"$scratch/hanging/cairn-engine"
chmod +x "$scratch/hanging/cairn-engine"
(
    trap '' ALRM
    CAIRN_LIBEXEC=$scratch/hanging timeout 60 cairn run true >"$scratch/hanging/out" 2>&1
    echo $? >"$scratch/hanging/status"
) &
started="$started $!"

is "cairn --help" "$(status_of cairn --help)" 0
is "cairn --version" "$(cairn --version)" "cairn $(sed -n 's/^AC_INIT(\[cairn\], \[\([^]]*\)\].*/\1/p' "$CAIRN_SRCDIR/configure.ac")"
for command in run check config list show send dump process plugin doctor; do
    is "cairn $command --help" "$(status_of cairn $command --help)" 0
    has "cairn $command --help says how" "$(cat "$scratch/out")" "^usage: cairn $command"
    has "cairn.1 has $command" "$(cat "$CAIRN_SRCDIR/doc/man/cairn.1")" "^\.It Cm $command|^\.Ss cairn $command"
    has "the completion has $command" "$(cat "$CAIRN_SRCDIR/config/completions/cairn")" "(^|[ \"])$command([ \"]|$)"
done
for program in cairn-monitor cairn-engine cairn-sender; do
    is "$program --help" "$(status_of "$CAIRN_LIBEXEC/$program" --help)" 0
    has "$program --version" "$("$CAIRN_LIBEXEC/$program" --version)" "^$program [0-9]"
done

fails "no command" 64 'usage: cairn' cairn
fails "unknown command" 64 'did you mean "show"' cairn shwo
fails "unknown option" 64 '^cairn list: --jsn is not an option of this command' cairn list --jsn
has "... and how it is used" "$(cat "$scratch/err")" '^usage: cairn list'
fails "unknown letter" 64 '^cairn dump: -1 is not an option of this command\.$' cairn dump -1
fails "option without its value" 64 '^cairn run: The option -c needs a value\.$' cairn run -c
fails "... by its long name" 64 '^cairn check: The option --format needs a value\.$' cairn check --format
fails "no such option before a command" 64 'There is no option "-V"' cairn -V
for part in list doc new lint run; do
    is "cairn plugin $part --help" "$(status_of cairn plugin $part --help) $(wc -c <"$scratch/err")" "0 0"
done
for command in --help "list --help" "plugin list" "config --schema"; do
    cairn $command >/dev/full 2>"$scratch/err"
    is "cairn $command onto a full disk" "$? $(cat "$scratch/err")" "74 cairn: The output could not be written."
done
fails "plugin" 64 'Say what to do with plugins: list, doc, new, lint or run' cairn plugin
fails "plugin lsit" 64 'What to do with plugins is list, doc, new, lint or run, not "lsit"' cairn plugin lsit
for part in list doc new lint run; do
    has "cairn.1 has plugin $part" "$(cat "$CAIRN_SRCDIR/doc/man/cairn.1")" "^\.Cm plugin $part|^\.Cm $part"
    has "the completion has plugin $part" "$(cat "$CAIRN_SRCDIR/config/completions/cairn")" "(^|[ \"])$part([ \"]|$)"
done
fails "run without program" 64 'program to run is missing' cairn run
fails "program that does not exist" 127 'no-such-program was not found in PATH' cairn run no-such-program
touch "$scratch/plain"
fails "program that is not executable" 126 'not an executable file' cairn run "$scratch/plain"
printf 'int main(void) { return 0; }\n' >"$scratch/static.c"
${CC:-cc} -static -o "$scratch/static" "$scratch/static.c"
fails "static program" 125 'linked statically' cairn run "$scratch/static"
cp /bin/true "$scratch/setuid" && chmod u+s "$scratch/setuid"
if [ "$(id -u)" -eq 0 ]; then
    chown nobody "$scratch/setuid" && chmod u+s "$scratch/setuid"
    fails "set-id program" 125 'set-id' cairn run "$scratch/setuid"
fi

cat >"$scratch/good.yaml" <<END
version: 1
engine: { spool: $spool }
writers: { dump: { plugin: minidump } }
pipelines: { default: { writers: [dump] } }
END
is "a good configuration" "$(status_of cairn check "$scratch/good.yaml")" 0
cairn check --format json "$scratch/good.yaml" >/dev/full 2>"$scratch/err"
is "cairn check --format json onto a full disk" "$? $(cat "$scratch/err")" "74 cairn-engine: The output could not be written."
fails "configuration that does not exist" 78 "$scratch/none.yaml" cairn check "$scratch/none.yaml"
printf 'version: 1\n  bad: [\n' >"$scratch/malformed.yaml"
fails "malformed YAML" 78 'malformed.yaml:2:' cairn check "$scratch/malformed.yaml"
sed 's/plugin: minidump/plugin: minidmp/' "$scratch/good.yaml" >"$scratch/unknown.yaml"
fails "unknown plugin" 78 'unknown.yaml:3:.*minidmp' cairn check "$scratch/unknown.yaml"
sed 's/plugin: minidump/plugin: system/' "$scratch/good.yaml" >"$scratch/kind.yaml"
fails "wrong kind" 78 'kind.yaml:3:.*annotator' cairn check "$scratch/kind.yaml"
sed 's/plugin: minidump/plugin: minidump, memory: everything/' "$scratch/good.yaml" >"$scratch/type.yaml"
fails "wrong option value" 78 'type.yaml:3:.*writers.dump.memory' cairn check "$scratch/type.yaml"
touch "$scratch/file"
sed "s,spool: .*},spool: $scratch/file/spool }," "$scratch/good.yaml" >"$scratch/spool.yaml"
fails "spool that cannot be made" 78 'spool.yaml:2:.*spool' cairn check "$scratch/spool.yaml"
fails "config of a bad configuration" 78 'kind.yaml:3:.*annotator' cairn config "$scratch/kind.yaml"
fails "a format that there is not" 64 'text or json, not "xml"' cairn check --format xml "$scratch/good.yaml"
has "config prints what counts" "$(cairn config "$scratch/good.yaml")" '^    plugin: minidump$'
has "config --origin says where it stands" "$(cairn config --origin "$scratch/good.yaml")" "    plugin: minidump +# $scratch/good.yaml:3$"
fails "run with a bad configuration" 78 'unknown.yaml:3:' cairn run -c "$scratch/unknown.yaml" true

fails "a file that is no minidump" 65 'minidump' cairn process -c "$scratch/good.yaml" "$scratch/good.yaml"
fails "a minidump that does not exist" 66 'none.dmp' cairn process -c "$scratch/good.yaml" "$scratch/none.dmp"
fails "dump of no process" 66 '4194300|process' cairn dump -c "$scratch/good.yaml" 4194300
fails "dump of something else" 64 'not the number of a process' cairn dump abc
fails "show without a report" 66 'report' cairn show --spool "$scratch" latest
fails "show of an unknown id" 66 'ffff' cairn show --spool "$scratch" ffff
is "list of an empty spool" "$(status_of cairn list --spool "$scratch")" 0
is "list --json of an empty spool" "$(cairn list --json --spool "$scratch")" "[]"
mkdir -p "$scratch/busy/shop/incoming/019abcde-0000-7000-8000-000000000001"
is "list while the first report is being made" "$(cairn list --spool "$scratch/busy" 2>&1)" \
    "There are no reports in $scratch/busy.
Reports that are being made: 1."
fails "show then" 66 'no report in .* yet; one is being made' cairn show --spool "$scratch/busy" latest
(
    sleep 1
    rmdir "$scratch/busy/shop/incoming/"*
    mkdir -p "$scratch/busy/shop/delivered/019abcde-0000-7000-8000-000000000001"
) &
fails "show --wait, until nothing is being made" 66 'report.json' cairn show --wait --spool "$scratch/busy" latest

is "plugin list names every bundled plugin" \
    "$(cairn plugin list | awk 'NR > 1 && !/^ / { print $1 "/" $2 }' | tr '\n' ' ')" \
    "filter/match filter/module filter/ratelimit filter/sample filter/signal filter/uptime annotator/breadcrumbs annotator/container annotator/file annotator/memory annotator/process annotator/redact annotator/static annotator/system writer/json writer/minidump writer/text hook/exec hook/launch_reporter transport/backtrace transport/breakpad transport/directory "
has "plugin list --options tells what can be set" "$(cairn plugin list --options)" '^  values: map to text'

sleep 300 &
sleeper=$!
started="$started $sleeper"
wait_for 5 grep -q sleep "/proc/$sleeper/comm"
id=$(cairn dump -c "$scratch/good.yaml" "$sleeper")
has "dump of a living process prints the id" "$id" '^[0-9a-f-]{36}$'
ok "the process goes on" kill -0 "$sleeper"
has "it is a report of kind request" "$(cairn show --spool "$spool" "$id")" '^Kind +request'
has "... with the right process" "$(cairn show --spool "$spool" "$id")" "^Process +$sleeper,"

dump=$(newest)/dump.dmp
id=$(cairn process -c "$scratch/good.yaml" "$dump")
has "process of a minidump prints a new id" "$id" '^[0-9a-f-]{36}$'
has "... and makes a report of it" "$(cairn show --spool "$spool" "$id")" "^Report +$id"

# The mistakes of a golden file, by the command and with the plugins that are installed.
golden=$CAIRN_SRCDIR/tests/golden/config/twelve-mistakes
sed 's/plugin: http/plugin: backtrace/' "$golden.yaml" >"$scratch/mistakes.yaml"
positions() {
    sed -n 's/^[^ ]*\.yaml:\([0-9]*:[0-9]*\): .*/\1/p' "$1" | tr '\n' ' '
}
is "a file of twelve mistakes and more" "$(status_of cairn check "$scratch/mistakes.yaml")" 78
cat "$scratch/out" "$scratch/err" >"$scratch/mistakes"
is "... all of them in one run, each at its place" "$(positions "$scratch/mistakes")" \
    "$(positions "$golden.txt" | sed 's/15:30 15:61/15:35 15:66/')"
ok "... of which there are twelve at least" test "$(positions "$scratch/mistakes" | wc -w)" -ge 12

ok "a check that hangs has an end" wait_for 30 test -s "$scratch/hanging/status"
is "... the program is not run" "$(cat "$scratch/hanging/status")" 125
is "... in a sentence" "$(cat "$scratch/hanging/out")" \
    "cairn run: The check of the configuration did not end within 10 seconds."

if command -v mandoc >/dev/null; then
    for page in "$CAIRN_SRCDIR"/doc/man/*.[1-8]; do
        is "mandoc accepts $(basename "$page")" "$(mandoc -Tlint -Wwarning "$page" 2>&1)" ""
    done
fi

done_testing
