# SPDX-License-Identifier: Apache-2.0
# tests/fuzz/: one libFuzzer target per parser of foreign bytes, built by ./configure
# --enable-fuzzers and run by `make check-fuzz`. Import-free code is compiled once more here, with
# sanitizers; the rest comes from the libraries, which then have them too.

EXTRA_DIST += tests/fuzz/fuzz.sh tests/fuzz/seeds

if FUZZERS
EXTRA_PROGRAMS += tests/fuzz/fuzz_maps tests/fuzz/fuzz_capture tests/fuzz/fuzz_page \
	tests/fuzz/fuzz_minidump tests/fuzz/fuzz_plugin tests/fuzz/fuzz_intake tests/fuzz/fuzz_config \
	tests/fuzz/fuzz_report tests/fuzz/fuzz_answer tests/fuzz/fuzz_plan tests/fuzz/fuzz_control \
	tests/fuzz/fuzz_end \
	tests/fuzz/make_seeds
CLEANFILES += $(EXTRA_PROGRAMS)
FUZZ_COMMON = tests/fuzz/fuzz.c tests/fuzz/fuzz.h
FUZZ_LINK = $(AM_LDFLAGS) -fsanitize=fuzzer

# What a compiler must not do to code that stands in for memcpy it must not do here either.
EXTRA_LTLIBRARIES = libcairn-fuzz.la
libcairn_fuzz_la_SOURCES = tests/fuzz/process.c tests/fuzz/process.h \
	core/capture/arch/x86_64/registers.c core/capture/builtins.c core/capture/linkage.c \
	core/capture/mappings.c core/capture/modules.c core/capture/text.c core/crash/records.c $(libcairn_minidump_writer_la_SOURCES)
libcairn_fuzz_la_CFLAGS = $(AM_CFLAGS) -ffreestanding -fno-builtin

tests_fuzz_fuzz_maps_SOURCES = tests/fuzz/fuzz_maps.c $(FUZZ_COMMON)
tests_fuzz_fuzz_maps_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_maps_LDADD = libcairn-fuzz.la
tests_fuzz_fuzz_capture_SOURCES = tests/fuzz/fuzz_capture.c $(FUZZ_COMMON)
tests_fuzz_fuzz_capture_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_capture_LDADD = libcairn-fuzz.la libcairn-report.la libcairn-minidump.la \
	libcairn-util.la
tests_fuzz_fuzz_page_SOURCES = tests/fuzz/fuzz_page.c core/monitor/page.c $(FUZZ_COMMON)
tests_fuzz_fuzz_page_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_page_LDADD = libcairn-fuzz.la libcairn-report.la libcairn-minidump.la \
	libcairn-util.la
tests_fuzz_fuzz_minidump_SOURCES = tests/fuzz/fuzz_minidump.c core/engine/code.c \
	core/engine/unwind.c plugins/writer/minidump/layout.c plugins/writer/minidump/reduce.c \
	plugins/writer/minidump/said.c plugins/writer/minidump/sanitize.c \
	plugins/writer/minidump/shrink.c $(FUZZ_COMMON)
tests_fuzz_fuzz_minidump_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_minidump_LDADD = libcairn-report.la libcairn-minidump.la libcairn-util.la
tests_fuzz_fuzz_plugin_SOURCES = tests/fuzz/fuzz_plugin.c $(FUZZ_COMMON)
tests_fuzz_fuzz_plugin_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_plugin_LDADD = libcairn-plugin.la libcairn-config.la libcairn-report.la \
	libcairn-minidump.la libcairn-util.la
tests_fuzz_fuzz_intake_SOURCES = tests/fuzz/fuzz_intake.c $(FUZZ_COMMON)
tests_fuzz_fuzz_intake_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_intake_LDADD = libcairn-plugin.la libcairn-config.la libcairn-report.la \
	libcairn-minidump.la libcairn-util.la
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz_config.c tests/engine/config_tables.c \
	tests/engine/check_config.h $(FUZZ_COMMON)
tests_fuzz_fuzz_config_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_config_LDADD = libcairn-config.la libcairn-util.la
tests_fuzz_fuzz_report_SOURCES = tests/fuzz/fuzz_report.c $(FUZZ_COMMON)
tests_fuzz_fuzz_report_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_report_LDADD = libcairn-report.la libcairn-minidump.la libcairn-util.la
tests_fuzz_fuzz_answer_SOURCES = tests/fuzz/fuzz_answer.c $(TRANSPORT_HTTP) $(FUZZ_COMMON)
tests_fuzz_fuzz_answer_CFLAGS = $(AM_CFLAGS) $(CURL_CFLAGS) $(CJSON_CFLAGS) $(ZSTD_CFLAGS) $(ZLIB_CFLAGS)
tests_fuzz_fuzz_answer_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_answer_LDADD = $(CURL_LIBS) $(CJSON_LIBS) $(ZSTD_LIBS) $(ZLIB_LIBS)
tests_fuzz_fuzz_end_SOURCES = tests/fuzz/fuzz_end.c core/monitor/cgroup.c core/monitor/end.c \
	core/monitor/identity.c core/monitor/proc.c $(FUZZ_COMMON)
tests_fuzz_fuzz_end_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_plan_SOURCES = tests/fuzz/fuzz_plan.c core/monitor/plan.c $(FUZZ_COMMON)
tests_fuzz_fuzz_plan_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_control_SOURCES = tests/fuzz/fuzz_control.c $(FUZZ_COMMON)
tests_fuzz_fuzz_control_LDFLAGS = $(FUZZ_LINK)

tests_fuzz_make_seeds_SOURCES = tests/fuzz/make_seeds.c tests/unit/dump_maker.c \
	tests/unit/dump_maker.h $(FUZZ_COMMON)
tests_fuzz_make_seeds_LDADD = libcairn-plugin.la libcairn-config.la libcairn-report.la \
	libcairn-minidump.la libcairn-util.la

FUZZ_PLUGINS = $(filter %/good.so,$(TEST_PLUGIN_FILES))
check-fuzz: $(EXTRA_PROGRAMS) $(FUZZ_PLUGINS)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS=tests/fuzz/fuzz.sh
else
check-fuzz:
	@echo "check-fuzz needs ./configure CC=clang --enable-fuzzers" >&2; exit 1
endif
.PHONY: check-fuzz
