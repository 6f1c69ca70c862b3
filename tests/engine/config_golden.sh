#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Every tests/golden/config/NAME.yaml must give exactly the text of NAME.txt. --accept writes what is
# given now; read the difference before you commit it.
set -u

golden=${CAIRN_SRCDIR:-.}/tests/golden/config
check=${CAIRN_BUILDDIR:-build}/tests/engine/check_config
case $check in /*) ;; *) check=$PWD/$check ;; esac
if [ ! -x "$check" ]; then
    echo "Bail out! $check is not built"
    exit 99
fi
work=$(mktemp -d) || exit 99
trap 'rm -rf "$work"' EXIT

# Nothing of the machine gets into the answers.
HOME=/home/golden
GOLDEN_NUMBER=5
GOLDEN_TOKEN=not-for-anyones-eyes
GOLDEN_EMPTY=
GOLDEN_LATIN1=$(printf 'caf\351')
export HOME GOLDEN_NUMBER GOLDEN_TOKEN GOLDEN_EMPTY GOLDEN_LATIN1
unset GOLDEN_UNSET XDG_STATE_HOME

cd "$golden" || exit 99

answer() {
    "$check" "$1" >"$work/answer" 2>&1 || echo "check_config itself: exit $?" >>"$work/answer"
}

if [ "${1:-}" = --accept ]; then
    for file in *.yaml; do
        answer "$file"
        cp "$work/answer" "${file%.yaml}.txt"
    done
    exit 0
fi

set -- *.yaml
echo "1..$(($# + 2))"
number=0
result() {
    number=$((number + 1))
    echo "$1 $number - $2"
}

for file in "$@"; do
    answer "$file"
    if diff -u "${file%.yaml}.txt" "$work/answer" >"$work/diff" 2>&1; then
        result ok "${file%.yaml}"
    else
        result "not ok" "${file%.yaml}"
        sed 's/^/# /' "$work/diff"
    fi
    cat "$work/answer" >>"$work/all"
done

# Negative control: the comparison notices one wrong letter.
answer "$1"
sed 's/exit/Exit/' "${1%.yaml}.txt" >"$work/wrong"
if diff -u "$work/wrong" "$work/answer" >/dev/null; then
    result "not ok" "a wrong expectation is noticed"
else
    result ok "a wrong expectation is noticed"
fi

# No secret that a file names or holds is in any answer. The files hold them, so grep can find them.
if grep -q literal-token http-secrets.yaml &&
    ! grep -q -e literal-token -e "$GOLDEN_TOKEN" "$work/all"; then
    result ok "no secret is shown"
else
    result "not ok" "no secret is shown"
fi
