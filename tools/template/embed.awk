# SPDX-License-Identifier: Apache-2.0
# Prints the files of this folder as a C table; see plugin_template.h.

function base(path) {
    sub(/.*\//, "", path)
    return path
}

# gsub() is not used: awks disagree on backslashes in its replacement.
function replaced(text, letter, by, parts, count, i, result) {
    count = split(text, parts, letter)
    result = parts[1]
    for (i = 2; i <= count; i++) {
        result = result by parts[i]
    }
    return result
}

BEGIN {
    print "/* Made from tools/template/ by embed.awk. */"
    print "#include \"tools/plugin_template.h\"\n"
    print "#include <stddef.h>\n"
    print "const struct plugin_template plugin_templates[] = {"
}
FNR == 1 {
    if (NR > 1) {
        print "    },"
    }
    name = base(FILENAME)
    of_kind = name ~ /\.c$/
    print "    {\n        " (of_kind ? "\"" substr(name, 1, length(name) - 2) "\"" : "NULL") ","
    print "        \"" (of_kind ? "@NAME@.c" : name) "\","
}
{
    print "        \"" replaced(replaced($0, "\\", "\\\\"), "\"", "\\\"") "\\n\""
}
END {
    print "    },\n    { NULL, NULL, NULL },\n};"
}
