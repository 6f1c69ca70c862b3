# SPDX-License-Identifier: Apache-2.0
# core/: libcairn, the monitor, the engine, the sender. One block per folder.

# ---- Code that runs in a crashed process imports nothing. These flags come after the user's CFLAGS
# ---- on purpose: a distribution's stack protector, fortification or LTO would bring imports back.
CRASH_FLAGS = -ffreestanding -fno-builtin -fno-tree-loop-distribute-patterns \
	-fno-stack-protector -fno-sanitize=all -fno-lto -fno-profile-arcs -fno-test-coverage \
	-fno-instrument-functions -fcf-protection=none -U_FORTIFY_SOURCE -fPIC

# ---- util: every process but the crashed one
noinst_LTLIBRARIES += libcairn-util.la
libcairn_util_la_SOURCES = \
	core/util/buf.c core/util/buf.h \
	core/util/error.c core/util/error.h \
	core/util/fs.c core/util/fs.h core/util/remove.c core/util/trust.c \
	core/util/log.c core/util/log.h \
	core/util/paths.c core/util/paths.h \
	core/util/sha256.c core/util/signals.c \
	core/util/text.c core/util/text.h \
	core/util/time.c core/util/time.h
libcairn_util_la_CFLAGS = $(AM_CFLAGS) $(MD_CFLAGS)
libcairn_util_la_LIBADD = $(MD_LIBS)

# ---- capture: [crash, monitor]

# ---- minidump writer: [crash, monitor]

# ---- crash: [crash]

# ---- client: [app]

# ---- monitor

# ---- minidump reader

# ---- config

# ---- report

# ---- plugin

# ---- engine

# ---- sender
