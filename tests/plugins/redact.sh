#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What redact takes out is nowhere: not in the report, not in what other writers make of it, not in the
# minidump, which has what the program said, too, and not in attached files, wherever in them it stands. A
# redactor that fails lets nothing pass that it has not seen.
. "$CAIRN_SRCDIR/tests/lib.sh"

cat >"$scratch/red.c" <<'END'
#include <cairn/cairn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static struct { char plain[64], note[256], far[4096]; } memory;
int main(int argc, char **argv)
{
    struct cairn_options options = CAIRN_OPTIONS_INIT;
    struct cairn *cairn = NULL;
    char text[1024];
    options.config_file = argv[1];
    options.application = argv[2];
    if (cairn_start(&options, &cairn, text, sizeof(text)) != 0) {
        fputs(text, stderr);
        return 1;
    }
    cairn_set_string(cairn, "mail", "alice@example.org");
    cairn_set_string(cairn, "harmless", "some text");
    cairn_set_integer(cairn, "number", 42);
    cairn_breadcrumb(cairn, "login", "from 10.1.2.3 by alice@example.org");
    cairn_breadcrumb(cairn, "start", "all is well");
    /* Not by a copy that goes over the stack. What lies behind the text is the program's, too. */
    for (int i = 0; i < 64; i++) {
        memory.plain[i] = "so plain a text"[i < 15 ? i : 15];
        memory.note[i] = "call zoe@example.org"[i < 20 ? i : 20];
        memory.far[i] = "behind it: zoe@example.org"[i < 26 ? i : 26];
    }
    memcpy(memory.note + 100, memory.far, 64);
    memset(memory.far, 0, 64);
    cairn_add_memory(cairn, memory.plain, sizeof(memory.plain), "text:plain");
    cairn_add_memory(cairn, memory.note, sizeof(memory.note), "text:note");
    fprintf(stderr, "%p\n", (void *)memory.note);
    for (int i = 3; i < argc; i++) {
        cairn_attach_file(cairn, argv[i]);
    }
    fflush(NULL);
    __builtin_trap();
}
END
ok "the program is built" ${CC:-cc} -O1 -w -I"$CAIRN_STAGE/include" -o "$scratch/red" "$scratch/red.c" -L"$CAIRN_STAGE/lib" \
    -Wl,-rpath,"$CAIRN_STAGE/lib" -lcairn
# Long runs without a space, and a match across the border of two buffers.
python3 - "$scratch" <<'END'
import sys
folder = sys.argv[1]
open(folder + "/app.log", "w").write("x" * 65530 + " bob@example.com Bearer abcdefghijklmnopqrstuvwxyz012345\n"
                                     + "y" * (1 << 20) + "\ncarol@example.com\n")
open(folder + "/clean.log", "w").write("nothing to be seen\n")
open(folder + "/data.bin", "wb").write(b"\1\0dave@example.com\0")
open(folder + "/cut.log", "wb").write(b"\0" * 5000 + b"erin@example.com\n" + b"\0" * 3 + b"fred@example.com")
END
# configure REDACT: its options
configure() {
    cat >"$scratch/red.yaml" <<END
version: 1
engine: { spool: $spool, limits: { free: 1MiB } }
annotators:
  build: { plugin: static, values: { contact: "team@example.com" } }
  scrub: { plugin: redact, $1 }
writers: { dump: { plugin: minidump }, packed: { plugin: minidump, sanitize: true }, j: { plugin: json }, t: { plugin: text } }
transports: { d: { plugin: directory, path: $scratch/copies } }
pipelines: { default: { annotators: [build, scrub], writers: [dump, packed, j, t], transports: [d] } }
END
}
# crash APPLICATION FILE...: $folder is its report's
crash() {
    "$scratch/red" "$scratch/red.yaml" "$@" 2>"$scratch/err"
    ok "$1: delivered" wait_for 30 sh -c "ls '$spool/$1/delivered'/*/report.json"
    folder=$(echo "$spool/$1/delivered"/*)
}
# where TEXT: the files of the report that have it.
where() {
    grep -lraE -- "$1" "$folder" "$scratch/copies/${folder##*/}" | grep -v configuration.yaml | sed 's,.*/,,' | sort -u | tr '\n' ' '
}

configure "patterns: [email, ipv4, bearer-token]"
crash red "$scratch/app.log" "$scratch/clean.log" "$scratch/data.bin" "$scratch/cut.log"
is "nothing that was to be taken out is in any file" "$(where '(alice|bob|carol|erin|fred|team|zoe)@example|10\.1\.2\.3|abcdefghijklmnop')" ""
is "what stands there instead" "$(field "$folder/report.json" attributes.mail)" '[email]'
is "the attached file" "$(tr -s xy <"$folder/attachment_app.log")" "x [email] Bearer [bearer-token]
y
[email]"
is "one that was cut while it was open: NULs are no way around" "$(tr -d '\0' <"$folder/attachment_cut.log")" "[email]
[email]"
is "... and stay" "$(tr -dc '\0' <"$folder/attachment_cut.log" | wc -c)" 5003
is "one without a match is as it was" "$(cat "$folder/attachment_clean.log")" "nothing to be seen"
ok "one that is no text, too" cmp "$scratch/data.bin" "$folder/attachment_data.bin"
is "the minidump has what was not replaced" "$(where 'some text')" "dump.dmp j.json packed.dmp report.json t.txt "
is "... breadcrumbs, too" "$(where 'all is well' | grep -o '[a-z]*\.dmp' | tr '\n' ' ')" "dump.dmp packed.dmp "
is "... registered memory, too" "$(where 'so plain a text' | grep -o '[a-z]*\.dmp' | tr '\n' ' ')" "dump.dmp packed.dmp "
is "a text in registered memory" "$(field "$folder/report.json" attributes.note)" 'call [email]'
# region FILE: which bytes of the program's 256 the minidump has, by its list of memory, in short.
cat >"$scratch/region.py" <<'END'
import struct, sys
dump, address = open(sys.argv[1], "rb").read(), int(sys.argv[2], 16)
count, directory = struct.unpack_from("<II", dump, 8)
for i in range(count):
    kind, _, at = struct.unpack_from("<III", dump, directory + 12 * i)
    for j in range(struct.unpack_from("<I", dump, at)[0] if kind == 5 else 0):
        start, size, place = struct.unpack_from("<QII", dump, at + 4 + 16 * j)
        if start <= address and address + 256 <= start + size:
            print(dump[place + address - start:][:256].replace(b"\0", b"").decode() or "256 zeros")
END
region() {
    python3 "$scratch/region.py" "$folder/$1" "$(grep '^0x' "$scratch/err")"
}
is "... is zeros in the minidump, which has that memory" "$(region dump.dmp)" "256 zeros"
is "... where stacks are sanitised, too" "$(region packed.dmp)" "256 zeros"
is "nothing is missing" "$(field "$folder/report.json" notes)" "[]"
if have_readers; then
    has "the minidump is one" "$(stackwalk "$folder/dump.dmp")" '^Crash reason:  SIGILL'
fi
ok "our own reader takes it" cairn process -c "$scratch/red.yaml" --application again "$folder/dump.dmp"
wait_for 20 idle # it is delivered meanwhile
again=$(echo "$spool/again"/*/*/report.json)
is "... without what was replaced" "$(field "$again" attributes.mail) $(field "$again" attributes.number)" "- 42"
is "... and with what was not" "$(field "$again" attributes.plain)" "so plain a text"

# ---- The control: nothing is looked for that is there.
configure "patterns: [credit-card]"
crash bare "$scratch/app.log"
is "control: otherwise it is everywhere" "$(where 'alice@example')" "dump.dmp j.json packed.dmp report.json t.txt "
is "control: registered memory has all of it" "$(region dump.dmp)" "call zoe@example.orgbehind it: zoe@example.org"
ok "control: ... and in the file" cmp "$scratch/app.log" "$folder/attachment_app.log"

# ---- A redactor that fails.
configure "patterns: [email], memory_limit: 16MiB, regex: ['(((((a{1,200}){1,200}){1,200})))b']"
crash broken "$scratch/app.log"
has "a redactor that fails is told of" "$(field "$folder/report.json" notes)" 'annotator .*scrub'
has "... and what that costs" "$(field "$folder/report.json" notes)" 'were left out, because annotator .*scrub.* has not seen them'
is "nothing passes unseen" "$(where 'alice@example|10\.1\.2\.3|some text|all is well|so plain|zoe@|bob@example')" ""
is "no file is attached" "$(ls "$folder" | grep -c attachment)" 0
is "numbers stay" "$(field "$folder/report.json" attributes.number)" 42

done_testing
