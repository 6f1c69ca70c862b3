#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Outsiders are first-class: each example is built out of tree against the installed headers and pkg-config file
# only, and used by changing nothing but the YAML. Run by `make installcheck` with the installation's folders.
. "$CAIRN_SRCDIR/tests/lib.sh"

PKG_CONFIG_PATH=$CAIRN_STAGE/lib/pkgconfig
LD_LIBRARY_PATH=$CAIRN_STAGE/lib
export PKG_CONFIG_PATH LD_LIBRARY_PATH
if [ -n "${CAIRN_SYSROOT:-}" ]; then
    PKG_CONFIG_SYSROOT_DIR=$CAIRN_SYSROOT
    export PKG_CONFIG_SYSROOT_DIR
fi

have_rust() {
    "${RUSTC:-rustc}" --version 2>/dev/null | awk '{ split($2, v, "."); new = v[1] > 1 || v[2] >= 77 } END { exit !new }'
}

cp -R "$CAIRN_SRCDIR/examples" "$scratch/examples"
chmod -R u+w "$scratch/examples"
chmod go-w "$scratch" "$scratch/examples"
for kind in filter annotator writer hook transport; do
    for folder in "$scratch/examples/plugins/$kind"/*/; do
        name=$(basename "$folder")
        if [ -f "$folder/$name.rs" ] && ! have_rust; then
            skip "the example $kind $name" "there is no rustc 1.77"
            continue
        fi
        ok "the example $kind $name builds against the installation" make -C "$folder" CC="${CC:-cc}" CXX="${CXX:-c++}"
        ok "... and lints" cairn plugin lint "$folder/$name.so"
        mkdir -p "$scratch/plugins/$kind"
        ok "... as one shared object" cp "$folder/$name.so" "$scratch/plugins/$kind/"
        is "... that exports one symbol" \
            "$(nm -D --defined-only "$folder/$name.so" | awk '$2 ~ /[A-Z]/ && $2 != "w" { print $3 }' | tr '\n' ' ')" \
            "cairn_plugin_entry "
    done
done
chmod -R go-w "$scratch/plugins"

CAIRN_PLUGIN_PATH=$scratch/plugins:$CAIRN_PLUGIN_PATH
listed=$(cairn plugin list)
for file in "$scratch"/plugins/*/*.so; do
    kind=$(basename "$(dirname "$file")")
    name=$(basename "$file" .so)
    has "cairn plugin list knows the $kind $name" "$listed" "^$kind +$name "
done

# The same configuration without and with the outsiders: an edit of the YAML and nothing else.
configuration() {
    cat <<END
version: 1
application: { name: installcheck, version: "2.5" }
engine: { spool: $spool }
filters:
  mine: { plugin: thread, names: ["perl*"] }
$(if have_rust; then echo '  current: { plugin: version, begins_with: ["2."] }'; fi)
annotators:
  host: { plugin: hostname }
writers:
  dump: { plugin: minidump }
  table: { plugin: csv }
  issue: { plugin: markdown, frames: 5 }
hooks:
  done: { plugin: touch, path: $scratch/touched }
transports:
  copy: { plugin: spoolcopy, path: $scratch/copies }
pipelines:
  default:
$1
END
}
crash() {
    cairn run -c "$1" -- perl -e 'kill SEGV => $$; sleep 5' >/dev/null 2>&1
}

configuration '    writers: [dump]' >"$scratch/without.yaml"
crash "$scratch/without.yaml"
ok "without the outsiders there is a report" wait_for 30 committed 1
is "... with one artifact" "$(field "$(newest)/report.json" artifacts | grep -o '"name"' | wc -l)" 1

current=
if have_rust; then
    current=", current"
fi
configuration "    filters: [mine$current]
    annotators: [host]
    writers: [dump, table, issue]
    hooks: [done]
    transports: [copy]" >"$scratch/with.yaml"
ok "the configuration with the outsiders is accepted" cairn check "$scratch/with.yaml"
crash "$scratch/with.yaml"
ok "with them the report is delivered" wait_for 30 delivered 2
report=$(newest)/report.json
is "the filter let it pass, the transport took it" "$(field "$report" deliveries.0.state)" delivered
is "the annotator contributed" "$(field "$report" attributes.hostname)" "$(uname -n)"
ok "the writer wrote" test -s "$(newest)/table.csv"
has "the one in C++, too" "$(cat "$(newest)/issue.md")" '^- \*\*Version\*\*: `2\.5`$'
ok "the hook ran" wait_for 10 test -e "$scratch/touched"
ok "the transport's copy is there" test -d "$scratch/copies"
has "and it shows what it copied" "$(cairn show --spool "$spool" --as-sent copy latest)" '^  dump\.dmp +[0-9]+ bytes'
is "no notes" "$(field "$report" notes)" "[]"

sed 's/perl\*/python*/' "$scratch/with.yaml" >"$scratch/drops.yaml"
crash "$scratch/drops.yaml"
dropped() {
    grep -rq . "$spool/installcheck/drops.json"
}
ok "the outsider's filter drops, and that is counted" wait_for 30 dropped
if have_rust; then
    sed 's/"2\."/"3."/' "$scratch/with.yaml" >"$scratch/rust.yaml"
    crash "$scratch/rust.yaml"
    dropped_by_rust() {
        grep -rq '"current"' "$spool/installcheck/drops.json"
    }
    ok "the one in Rust, too" wait_for 30 dropped_by_rust
fi

ok "the embedding example builds against the installation" make -C "$scratch/examples/embed" CC="${CC:-cc}"
cat >"$scratch/embed.yaml" <<END
version: 1
application: { name: embed }
engine: { spool: $spool }
writers: { dump: { plugin: minidump } }
pipelines: { default: { writers: [dump] } }
END
"$scratch/examples/embed/embed" "$scratch/embed.yaml" >"$scratch/out" 2>&1
is "the embedding example dies of its true signal" "$?" 139
embedded() {
    [ -n "$(find "$spool/embed/delivered" -name report.json 2>/dev/null)" ]
}
ok "... and is reported" wait_for 30 embedded

ok "a program is linked with the library for all threads" ${CC:-cc} -std=gnu11 -O1 -o "$scratch/threads" \
    "$CAIRN_SRCDIR/tests/crash/threads_victim.c" $(pkg-config --cflags --libs cairn-threads)
is "... which have an alternate stack" "$("$scratch/threads" - answers | grep -c ': yes$')" 5
ok "... statically, too" ${CC:-cc} -std=gnu11 -O1 -static -o "$scratch/static" \
    "$CAIRN_SRCDIR/tests/crash/threads_victim.c" $(pkg-config --static --cflags --libs cairn-threads)
is "... where they have one" "$("$scratch/static" - answers | grep -c ': yes$')" 5

done_testing
