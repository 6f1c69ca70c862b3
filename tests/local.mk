# SPDX-License-Identifier: Apache-2.0
# tests/: unit programs with CUnit, shell tests over the staged installation; all speak TAP.

# ---- unit: util
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_util.test
tests_unit_test_util_test_SOURCES = tests/unit/test_util.c tests/unit/tap.c tests/unit/tap.h
tests_unit_test_util_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_util_test_LDADD = libcairn-util.la $(CUNIT_LIBS)
TESTS += tests/unit/test_util.test
endif

# ---- unit: minidump reader

# ---- unit: report

# ---- unit: config

# ---- unit: plugin

# ---- unit: crash and client

# ---- unit: monitor

# ---- unit: engine and sender

# ---- unit: bundled plugins

# ---- wall
TESTS += tests/wall/imports.sh
EXTRA_DIST += tests/wall/imports.sh

# ---- capture and minidump writer: unit tests, and a victim of their own
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_capture.test
tests_unit_test_capture_test_SOURCES = tests/unit/test_capture.c tests/unit/tap.c tests/unit/tap.h
tests_unit_test_capture_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_capture_test_LDADD = libcairn-minidump-writer.la libcairn-capture.la $(CUNIT_LIBS)
TESTS += tests/unit/test_capture.test
endif
check_PROGRAMS += tests/crash/dump_victim
tests_crash_dump_victim_SOURCES = tests/crash/dump_victim.c
tests_crash_dump_victim_CFLAGS = $(AM_CFLAGS) -pthread
tests_crash_dump_victim_LDADD = libcairn-minidump-writer.la libcairn-capture.la
tests_crash_dump_victim_LDFLAGS = $(AM_LDFLAGS) -pthread
TESTS += tests/crash/capture.sh
EXTRA_DIST += tests/crash/capture.sh

# ---- crash

# ---- end to end
