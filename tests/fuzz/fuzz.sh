#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Runs every fuzz target for its share of FUZZ_SECONDS (60), from seeds that are made here and the
# corpus of earlier runs, kept in the build tree. A finding stays there as a file and fails the test.

. "$CAIRN_SRCDIR/tests/lib.sh"

here=$CAIRN_BUILDDIR/tests/fuzz
source=$CAIRN_SRCDIR/tests/fuzz
targets="maps capture page minidump plugin intake config report answer plan end"
each=$((${FUZZ_SECONDS:-60} / 11))
[ "$each" -ge 1 ] || each=1

# symbolizing takes longer than fuzzing: only for a finding
ASAN_OPTIONS=detect_leaks=1:allocator_may_return_null=1
UBSAN_OPTIONS=print_stacktrace=1
export ASAN_OPTIONS UBSAN_OPTIONS

"$here/make_seeds" "$scratch/seeds" || exit 1
cp -R "$source/seeds/." "$scratch/seeds/"
mkdir -p "$scratch/seeds/config" "$scratch/seeds/plugin"
cp "$CAIRN_SRCDIR"/tests/golden/config/*.yaml "$scratch/seeds/config/"
for kind in filter annotator writer hook transport; do
    objcopy --strip-all "$CAIRN_BUILDDIR/tests/plugins/built/$kind/good.so" \
        "$scratch/seeds/plugin/$kind"
done

# run TARGET SECONDS: the fuzzer's exit status; its output in $scratch/TARGET.log
run() {
    corpus=$here/corpus/$1
    mkdir -p "$corpus" "$scratch/seeds/$1"
    timeout -k 5 $(($2 + 60)) "$here/fuzz_$1" -max_total_time="$2" -timeout=10 -rss_limit_mb=2048 \
        -max_len=65536 -print_final_stats=1 -artifact_prefix="$here/finding-$1-" \
        "$corpus" "$scratch/seeds/$1" >"$scratch/$1.log" 2>&1
}

finds_control() {
    ! run control 10 && grep -q heap-buffer-overflow "$scratch/control.log"
}
ok "the fuzzer finds the control's overflow" finds_control
rm -rf "$here"/finding-control-* "$here/corpus/control"

# What is of use for whoever mends it; the input's file is named in it.
clean() {
    run "$1" "$each" || {
        grep -E 'ERROR|SUMMARY|runtime error|refused|Test unit|#[0-9]+ .*/\.\./\.\./(core|plugins|tests)/' \
            "$scratch/$1.log" | head -n 25
        return 1
    }
}
for target in $targets; do
    ok "$target: $each s without a finding" clean "$target"
    sed -n 's/^stat::number_of_executed_units: */# executions: /p' "$scratch/$target.log"
done
done_testing
