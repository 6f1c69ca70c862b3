#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes configure and what it needs, in a fresh checkout.
set -eu
cd "$(dirname "$0")"
mkdir -p build-aux m4
exec autoreconf --install --warnings=all
