#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The tutorial of doc/plugin-guide.md, command by command, in an empty folder.
. "$CAIRN_SRCDIR/tests/lib.sh"

# Not part of the make that runs the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES
PKG_CONFIG_PATH=$CAIRN_STAGE/lib/pkgconfig
PKG_CONFIG_SYSROOT_DIR=$CAIRN_BUILDDIR/stage
TMPDIR=$scratch
HOME=$scratch
export PKG_CONFIG_PATH PKG_CONFIG_SYSROOT_DIR TMPDIR HOME
mkdir "$scratch/tutorial"
cd "$scratch/tutorial" || exit 1

LC_ALL=C timeout 300 python3 "$CAIRN_SRCDIR/tests/plugins/tutorial.py" "$CAIRN_SRCDIR/doc/plugin-guide.md"
