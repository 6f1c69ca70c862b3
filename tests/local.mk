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
check_PROGRAMS += tests/engine/check_config
tests_engine_check_config_SOURCES = tests/engine/check_config.c tests/engine/check_config.h \
	tests/engine/config_tables.c
tests_engine_check_config_LDADD = libcairn-config.la libcairn-util.la
TESTS += tests/engine/config_golden.sh
EXTRA_DIST += tests/engine/config_golden.sh tests/golden/config
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_config.test
tests_unit_test_config_test_SOURCES = tests/unit/test_config.c tests/engine/check_config.h \
	tests/engine/config_tables.c tests/unit/tap.c tests/unit/tap.h
tests_unit_test_config_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_config_test_LDADD = libcairn-config.la libcairn-util.la $(CUNIT_LIBS)
TESTS += tests/unit/test_config.test
endif

# ---- unit: plugin

# ---- unit: crash and client
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_annotations.test
tests_unit_test_annotations_test_SOURCES = tests/unit/test_annotations.c tests/unit/tap.c \
	tests/unit/tap.h
tests_unit_test_annotations_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) -pthread
tests_unit_test_annotations_test_LDADD = libcairn-client.la libcairn-crash.la libcairn-records.la \
	libcairn-minidump-writer.la libcairn-capture.la $(CUNIT_LIBS) -lpthread
TESTS += tests/unit/test_annotations.test
endif

# ---- crash: the handler against a stand-in for the monitor; the preload library; what is exported
check_PROGRAMS += tests/crash/victim tests/crash/preloaded tests/crash/fake/cairn-monitor
tests_crash_victim_SOURCES = tests/crash/victim.c
tests_crash_victim_CFLAGS = $(AM_CFLAGS) -O1 -pthread
tests_crash_victim_LDADD = libcairn.la -lpthread
tests_crash_preloaded_SOURCES = tests/crash/preloaded.c
tests_crash_preloaded_CFLAGS = $(AM_CFLAGS) -O1 -Wno-deprecated-declarations
tests_crash_fake_cairn_monitor_SOURCES = tests/crash/fake_monitor.c core/crash/page.h
TESTS += tests/crash/handler.sh tests/crash/preload.sh tests/wall/symbols.sh
EXTRA_DIST += tests/crash/handler.sh tests/crash/preload.sh tests/wall/symbols.sh \
	doc/abi/libcairn.symbols

# ---- unit: monitor

# ---- unit: engine and sender

# ---- unit: bundled plugins

# ---- wall
TESTS += tests/wall/imports.sh
EXTRA_DIST += tests/wall/imports.sh

# ---- capture and minidump writer: a victim of their own
check_PROGRAMS += tests/crash/dump_victim
tests_crash_dump_victim_SOURCES = tests/crash/dump_victim.c
tests_crash_dump_victim_CFLAGS = $(AM_CFLAGS) -pthread
tests_crash_dump_victim_LDADD = libcairn-minidump-writer.la libcairn-capture.la
tests_crash_dump_victim_LDFLAGS = $(AM_LDFLAGS) -pthread
TESTS += tests/crash/capture.sh
EXTRA_DIST += tests/crash/capture.sh

# ---- crash

# ---- end to end
