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
EXTRA_DIST += tests/servers/receiver.py
if HAVE_CUNIT
PLUGIN_TEST_SOURCES = tests/unit/plugin_harness.c tests/unit/plugin_harness.h \
	tests/unit/tap.c tests/unit/tap.h
PLUGIN_TESTS = tests/unit/test_plugin_filters.test tests/unit/test_plugin_annotators.test \
	tests/unit/test_plugin_writers.test tests/unit/test_plugin_hooks.test \
	tests/unit/test_plugin_transports.test
check_PROGRAMS += $(PLUGIN_TESTS)
TESTS += $(PLUGIN_TESTS)
tests_unit_test_plugin_filters_test_SOURCES = tests/unit/test_plugin_filters.c $(PLUGIN_TEST_SOURCES)
tests_unit_test_plugin_filters_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_plugin_filters_test_LDADD = libcairn-util.la $(CUNIT_LIBS)
tests_unit_test_plugin_annotators_test_SOURCES = tests/unit/test_plugin_annotators.c $(PLUGIN_TEST_SOURCES)
tests_unit_test_plugin_annotators_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_plugin_annotators_test_LDADD = libcairn-util.la $(CUNIT_LIBS)
tests_unit_test_plugin_writers_test_SOURCES = tests/unit/test_plugin_writers.c $(PLUGIN_TEST_SOURCES)
tests_unit_test_plugin_writers_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_plugin_writers_test_LDADD = libcairn-util.la $(CUNIT_LIBS)
tests_unit_test_plugin_hooks_test_SOURCES = tests/unit/test_plugin_hooks.c $(PLUGIN_TEST_SOURCES)
tests_unit_test_plugin_hooks_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_plugin_hooks_test_LDADD = libcairn-util.la $(CUNIT_LIBS)
tests_unit_test_plugin_transports_test_SOURCES = tests/unit/test_plugin_transports.c $(PLUGIN_TEST_SOURCES)
tests_unit_test_plugin_transports_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(CJSON_CFLAGS)
tests_unit_test_plugin_transports_test_LDADD = libcairn-util.la $(CUNIT_LIBS) $(CJSON_LIBS)
endif

# ---- wall

# ---- crash

# ---- end to end
