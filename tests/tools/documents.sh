#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the documents show works: each YAML example passes `cairn check`, each command and option exists, README's
# first steps are taken one by one; and what --help knows stands in the manual page and the completion.
. "$CAIRN_SRCDIR/tests/lib.sh"

top=$CAIRN_SRCDIR
documents() {
    python3 "$top/tests/tools/documents.py" "$@"
}

# ---- YAML
# A folder of an installation's own, so that drop-ins and the policy lie where they belong.
mkdir -p "$scratch/yaml" "$scratch/etc/conf.d"
cp "$CAIRN_CONFIG" "$scratch/etc/cairn.yaml"
CAIRN_CONFIG=$scratch/etc/cairn.yaml
export CAIRN_CONFIG
HOME=$scratch
export HOME

# place FILE: where the example belongs: a program's file, a drop-in, the policy; and what is checked then.
place() {
    rm -f "$scratch"/etc/conf.d/* "$scratch/etc/policy.yaml"
    if grep -q '^# /etc/cairn/conf.d/' "$1"; then
        cp "$1" "$scratch/etc/conf.d/50-example.yaml"
        checked=
    elif grep -Eq '^(allow_plugins|lock|require|max):' "$1"; then
        # What the policy requires must be there.
        printf 'annotators: { scrub: { plugin: redact, patterns: [email] } }\n' >"$scratch/etc/conf.d/50-scrub.yaml"
        cp "$1" "$scratch/etc/policy.yaml"
        checked=
    else
        checked=$1
    fi
}
checks() {
    place "$1"
    cairn check --deny-warnings $checked
}

documents yaml "$scratch/yaml" "$top/README.md" "$top"/doc/*.md "$top"/doc/man/cairn*.5 >"$scratch/examples"
ok "there are examples of YAML" test "$(wc -l <"$scratch/examples")" -ge 5
while read -r example; do
    if grep -q 'plugin: peak' "$scratch/yaml/$example"; then
        continue # the tutorial's own plugin: tests/plugins/tutorial.sh
    fi
    ok "$example is accepted" checks "$scratch/yaml/$example"
    sed 's/^version: 1$/version: 1\nnonsense: 1/; t; s/plugin:/plugin: no-such-/' "$scratch/yaml/$example" >"$scratch/yaml/wrong.yaml"
    is "... and with a mistake it is not" "$(status_of checks "$scratch/yaml/wrong.yaml")" 78
done <"$scratch/examples"
rm -f "$scratch"/etc/conf.d/* "$scratch/etc/policy.yaml"
cp "$top/config/policy.yaml.example" "$scratch/etc/policy.yaml"
is "the policy to start from is accepted" "$(status_of cairn check) $(cat "$scratch/err")" "0 "
rm "$scratch/etc/policy.yaml"

# ---- README's first steps
mkdir "$scratch/steps"
(cd "$scratch/steps" && python3 "$top/tests/plugins/tutorial.py" "$top/README.md") >"$scratch/steps.tap" 2>&1
ok "README's first steps can be taken as they are written" grep -q '^1\.\.4$' "$scratch/steps.tap"
is "... each of them works" "$(grep -v '^ok\|^1\.\.' "$scratch/steps.tap")" ""
ok "... and the copy is there" wait_for 20 sh -c "ls '$scratch'/steps/copies/*/report.json"

# ---- the configuration is the administrator's once it is there
installed() {
    env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL make -s -C "$CAIRN_BUILDDIR" "$1-config" DESTDIR= cairnconfdir="$scratch/conf"
}
installed install
ok "make install puts the configuration there" cmp "$top/config/cairn.yaml" "$scratch/conf/cairn.yaml"
installed uninstall
is "... make uninstall takes it away" "$(ls "$scratch/conf")" ""
installed install
echo '# mine' >>"$scratch/conf/cairn.yaml"
has "... make install says that it leaves a changed one alone" "$(installed install)" 'was left as it is\.$'
installed uninstall
is "... and so does make uninstall" "$(tail -n 1 "$scratch/conf/cairn.yaml")" "# mine"

# ---- programs
mkdir "$scratch/code"
documents code "$scratch/code" "$top/README.md" "$top/doc/coming-from-breakpad.md" "$top/doc/man/cairn.3" >"$scratch/programs"
is "there are examples of programs" "$(tr '\n' ' ' <"$scratch/programs")" "README.md.c coming-from-breakpad.md.cc cairn.3.c "
compiles() {
    case $1 in
    *.cc) ${CXX:-c++} -std=c++17 -Wall -Wextra -Werror -I"$CAIRN_STAGE/include" -L"$CAIRN_STAGE/lib" "$1" -o "$scratch/program" -lcairn ;;
    *) ${CC:-cc} -std=c11 -Wall -Wextra -Werror -I"$CAIRN_STAGE/include" -L"$CAIRN_STAGE/lib" "$1" -o "$scratch/program" -lcairn ;;
    esac
}
while read -r example; do
    ok "$example compiles without a warning" compiles "$scratch/code/$example"
    LD_LIBRARY_PATH=$CAIRN_STAGE/lib "$scratch/program" 2>"$scratch/err"
    has "... and says what is wrong without its configuration" "$(cat "$scratch/err")" '^crash reporting is off: .*/etc/shop/cairn.yaml: '
done <"$scratch/programs"
sed 's/cairn_breadcrumb/cairn_crumb/' "$scratch/code/README.md.c" >"$scratch/code/wrong.c"
is "... one with a mistake does not compile" "$(status_of compiles "$scratch/code/wrong.c")" 1

# ---- what the command knows
mkdir "$scratch/help"
for command in $(cairn --help | sed -n 's/^  \([a-z]*\)  .*/\1/p'); do
    cairn "$command" --help >"$scratch/help/$command"
done
ok "there are commands" test "$(find "$scratch/help" -type f | wc -l)" -ge 10
page=$top/doc/man/cairn.1
completion=$top/config/completions/cairn
is "options of --help, cairn.1 and the completion are the same" "$(documents options "$scratch/help" "$page" "$completion")" ""
mkdir "$scratch/wrong"
cp "$scratch"/help/* "$scratch/wrong/"
echo '      --brand-new' >>"$scratch/wrong/list"
sed -i 's/--due/--dew/' "$scratch/wrong/send"
is "... others are found" "$(documents options "$scratch/wrong" "$page" "$completion" | sort | tr '\n' ';')" \
    "cairn send --help lacks --due;cairn.1: the list of options lacks --brand-new;cairn.1: the list of options lacks --dew;cairn.1: the synopsis of list lacks --brand-new;cairn.1: the synopsis of send lacks --dew;cairn: the completion lacks --brand-new;cairn: the completion lacks --dew;no --help has --due, which cairn.1 lists;"

# The completions of zsh and fish ask --help.
for file in cairn.fish _cairn; do
    expression=$(sed -n "s/^ *sed -nE '\\(.*(-\\[a-z\\].*\\)'.*/\\1/p" "$top/config/completions/$file" | head -n 1)
    for command in "$scratch"/help/*; do
        sed -nE "$expression" "$command" | grep -oE '^--[a-z-]+' | sort -u | sed "s,^,$(basename "$command") ,"
    done >"$scratch/completed"
    for command in "$scratch"/help/*; do
        grep -oE '^ +(-[a-z], )?--[a-z-]+' "$command" | grep -oE -- '--[a-z-]+' | sort -u | sed "s,^,$(basename "$command") ,"
    done >"$scratch/wanted"
    is "$file finds each option of each command" "$(cat "$scratch/completed")" "$(cat "$scratch/wanted")"
done
ok "... of which there are many" test "$(wc -l <"$scratch/completed")" -ge 30
if command -v fish >/dev/null; then
    ok "fish accepts its completion" fish -n "$top/config/completions/cairn.fish"
fi
if command -v zsh >/dev/null; then
    ok "zsh accepts its completion" zsh -n "$top/config/completions/_cairn"
fi

ok "the commands in the documents exist" documents commands "$scratch/help" "$top/README.md" "$top"/doc/*.md "$top"/doc/man/*.[1-8]
sed 's/cairn check shop/cairn check --hard shop/' "$top/README.md" >"$scratch/wrong.md"
has "... others are found" "$(documents commands "$scratch/help" "$scratch/wrong.md")" 'cairn check has no --hard$'

ok "the configuration's keys are documented" documents keys "$top/config/cairn.schema.json" "$top/doc/configuration.md" "$top/doc/man/cairn.yaml.5"
sed 's/`claim`/`clam`/' "$top/doc/configuration.md" >"$scratch/wrong.md"
has "... one that is not is found" "$(documents keys "$top/config/cairn.schema.json" "$scratch/wrong.md")" 'lacks engine.clocks.claim$'

# ---- every function of the header in cairn(3)
functions() {
    grep -oE '\bcairn_[a-z_]+\(' "$top/include/cairn/cairn.h" | tr -d '(' | sort -u | while read -r name; do
        if grep -q "^CAIRN_API.*\b$name(" "$top/include/cairn/cairn.h"; then
            echo "$name"
        fi
    done
}
undocumented() {
    functions | while read -r name; do
        grep -q "^\.Fn $name\b" "$1" || echo "$name"
    done
}
ok "the header has functions" test "$(functions | wc -l)" -ge 18
is "cairn.3 has each" "$(undocumented "$top/doc/man/cairn.3")" ""
grep -v 'Fn cairn_stop' "$top/doc/man/cairn.3" >"$scratch/wrong.3"
is "... one that it lacks is found" "$(undocumented "$scratch/wrong.3")" cairn_stop

done_testing
