#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Builds with the flags that distributions put after ours (stack protector, fortification, LTO, profiling)
# and sees that import-free code stays so: tests/wall/imports.sh must pass there too. For ./check --full.
set -eu
cd "$(dirname "$0")/../.."
build=build/hostile
mkdir -p "$build"
cd "$build"
../../configure --disable-tests \
    CFLAGS='-O2 -g -fstack-protector-strong -D_FORTIFY_SOURCE=2 -flto=auto -fno-plt -fcf-protection'
make -j"$(nproc)"
make check TESTS=tests/wall/imports.sh
