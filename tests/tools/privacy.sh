#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Data classes are off by default: with the installed configuration, what a process has in its environment, on its
# command line and on its heap is in no file of its report and in nothing that a transport would send. Each class has
# its control: switched on, it is there; the stack, which is always on, is.
. "$CAIRN_SRCDIR/tests/lib.sh"

# The heap's marker is made at run time, so that neither the program's file nor its data hold it; what the stack
# holds lies in the frame that crashes.
cat >"$scratch/victim.c" <<'END'
#include <stdlib.h>
#include <string.h>
static void spell(char *target, const char *code, int key)
{
    for (; *code != '\0'; code++) {
        *target++ = (char)(*code ^ key);
    }
    *target = '\0';
}
int main(int argc, char **argv)
{
    volatile char local[32];
    char *heap = malloc(1 << 20);
    (void)argc;
    (void)argv;
    spell(heap + (1 << 19), "id`ql`sjds,.", 1);  /* heapmarker-/ */
    spell((char *)local, "ru`bjl`sjds,.", 1); /* stackmarker-/ */
    *(volatile int *)16 = local[0] + heap[1 << 19];
    free(heap);
    return 0;
}
END
${CC:-cc} -O0 -o "$scratch/victim" "$scratch/victim.c"

# crash CONFIG...: with a marker in each place; the report's folder is in $folder.
crash() {
    rm -rf "$spool"
    ENVIRONMENT_MARKER=environmentmarker-4711 cairn run -c "$1" "$scratch/victim" --password commandmarker-0815 >/dev/null 2>&1
    wait_for 20 committed 1
    folder=$(newest)
}
# found MARKER: how many files of the report hold it, and of what would be sent.
found() {
    echo "$(grep -rla "$1" "$spool" | wc -l) $(grep -rla "$1" "$scratch/sent" "$scratch/copied" | wc -l)"
}
# shown: all that the transports would send of the report, as folders.
shown() {
    rm -rf "$scratch/sent" "$scratch/copied"
    cairn show --spool "$spool" -c "$scratch/transports.yaml" --as-sent upload --output "$scratch/sent" latest >/dev/null &&
        cairn show --spool "$spool" -c "$scratch/transports.yaml" --as-sent copy --output "$scratch/copied" latest >/dev/null
}

# The installed configuration, in a spool of ours; and transports that send all they can.
printf 'engine: { spool: %s }\n' "$spool" >"$scratch/default.yaml"
cat >"$scratch/transports.yaml" <<END
version: 1
engine: { spool: $spool }
transports:
  upload: { plugin: backtrace, url: "http://127.0.0.1:9/acme/5ec7e75ec7e75ec7/minidump" }
  copy: { plugin: directory, path: $scratch/copies }
pipelines: { default: { transports: [upload, copy] } }
END

crash "$scratch/default.yaml"
ok "a report with the installed configuration" test -s "$folder/dump.dmp"
ok "what would be sent of it" shown
is "the environment is nowhere" "$(found environmentmarker-4711)" "0 0"
is "nor its names" "$(found ENVIRONMENT_MARKER)" "0 0"
is "the command line is nowhere" "$(found commandmarker-0815)" "0 0"
is "the heap is nowhere" "$(found heapmarker-/)" "0 0"
is "the stack is in the minidump, here and there" "$(found stackmarker-/)" "1 2"

# The controls.
cat >"$scratch/all.yaml" <<END
engine: { spool: $spool }
annotators: { process: { command_line: true, environment: [ENVIRONMENT_MARKER] } }
writers: { dump: { memory: full, include: [command-line, environment] } }
END
is "the classes can be asked for" "$(status_of cairn check "$scratch/all.yaml")" 0
crash "$scratch/all.yaml"
ok "what would be sent of that report" shown
has "then the environment is there" "$(found environmentmarker-4711)" '^[1-9] [1-9]$'
has "so is the command line" "$(found commandmarker-0815)" '^[1-9] [1-9]$'
has "so is the heap" "$(found heapmarker-/)" '^[1-9] [1-9]$'

done_testing
