#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ends that no handler sees: SIGKILL, the OOM killer, a fault whose signal is blocked, _exit(). Each that the
# configuration names makes one report of kind death with what the program said of itself; no other end does.
. "$CAIRN_SRCDIR/tests/lib.sh"
