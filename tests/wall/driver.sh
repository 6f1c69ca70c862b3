#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the tests' driver makes of a test: one that fails fails the check, and so does one that passes and then exits
# with an error, as a sanitizer has it do for a leak that is found at the end.
. "$CAIRN_SRCDIR/tests/lib.sh"

flags=$(sed -n 's/^SH_LOG_DRIVER_FLAGS = //p' "$CAIRN_BUILDDIR/Makefile")

# verdict SCRIPT: of a test that does that.
verdict() {
    printf '#!/bin/sh\n%s\n' "$1" >"$scratch/test.sh"
    chmod +x "$scratch/test.sh"
    # shellcheck disable=SC2086
    env AM_TAP_AWK=awk sh "$CAIRN_SRCDIR/build-aux/tap-driver.sh" --test-name test.sh --log-file "$scratch/test.log" \
        --trs-file "$scratch/test.trs" --color-tests no --enable-hard-errors yes --expect-failure no $flags -- \
        "$scratch/test.sh" >/dev/null 2>&1
    sed -n 's/^:global-test-result: //p' "$scratch/test.trs"
}

is "a test that passes" "$(verdict 'echo 1..1; echo ok 1')" PASS
is "a test that fails" "$(verdict 'echo 1..1; echo not ok 1')" FAIL
is "a test that passes and exits with an error" "$(verdict 'echo 1..1; echo ok 1; exit 23')" ERROR
is "a test that ends too early" "$(verdict 'echo 1..2; echo ok 1; kill -SEGV $$')" ERROR
is "a test that does not even begin" "$(verdict 'exit 0')" ERROR

done_testing
