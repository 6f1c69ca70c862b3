#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Each file that somebody wrote names its licence at its top, the licence is there and is installed, and README
# names the packages that ./demo and ./check install.
. "$CAIRN_SRCDIR/tests/lib.sh"

top=$CAIRN_SRCDIR

# unmarked FOLDER...: files without the line; what a configure run in the same folder makes, and data, aside.
unmarked() {
    find "$@" -type f \( -name '*.[ch]' -o -name '*.cc' -o -name '*.rs' -o -name '*.py' -o -name '*.sh' -o -name '*.mk' \
        -o -name '*.in' -o -name '*.map' -o -name '*.md' -o -name '*.yaml' -o -name '*.[1-8]' -o -name 'Makefile' \
        -o -name '*.timer' \) ! -path '*/golden/*' ! -path '*/seeds/*' ! -path '*/node_modules/*' -exec sh -c '
        for file; do
            head -n 5 "$file" | grep -q "SPDX-License-Identifier: Apache-2\\.0" || echo "$file"
        done' sh {} +
}
folders() {
    for folder in core include plugins tools config examples doc tests bench; do
        echo "$top/$folder"
    done
}
is "each file names its licence" "$(unmarked $(folders) "$top/README.md" "$top/cairn.pc.in")" ""
for script in demo check autogen.sh Makefile.am configure.ac; do
    has "... $script, too" "$(head -n 5 "$top/$script")" 'SPDX-License-Identifier: Apache-2\.0'
done
mkdir "$scratch/planted"
echo 'int planted;' >"$scratch/planted/planted.c"
is "... one that does not is found" "$(unmarked "$scratch/planted")" "$scratch/planted/planted.c"

has "the licence is there" "$(head -n 3 "$top/LICENSE")" 'Apache License'
ok "... and is installed" cmp "$top/LICENSE" "$CAIRN_STAGE/share/doc/cairn/LICENSE"

packages() {
    sed -n '/^BUILD_PACKAGES=/,/"$/p' "$top/tests/setup.sh" | sed 's/^BUILD_PACKAGES=//' | tr -d '"' | tr -s ' \n' '\n\n' | grep .
}
# missing FILE: packages that it does not name.
missing() {
    packages | while read -r package; do
        tr -s ' `,.' '\n' <"$1" | grep -Fxq -- "$package" || echo "$package"
    done
}
ok "there are packages to name" test "$(packages | wc -l)" -ge 10
is "README.md names each" "$(missing "$top/README.md")" ""
sed 's/libelf-dev//' "$top/README.md" >"$scratch/wrong.md"
is "... one that it lacks is found" "$(missing "$scratch/wrong.md")" libelf-dev

done_testing
