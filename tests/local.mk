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
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_minidump.test
tests_unit_test_minidump_test_SOURCES = tests/unit/test_minidump.c tests/unit/dump_maker.c \
	tests/unit/dump_maker.h tests/unit/tap.c tests/unit/tap.h
tests_unit_test_minidump_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_minidump_test_LDADD = libcairn-minidump.la libcairn-util.la $(CUNIT_LIBS)
TESTS += tests/unit/test_minidump.test
check_PROGRAMS += tests/unit/test_minidump_pair.test
tests_unit_test_minidump_pair_test_SOURCES = tests/unit/test_minidump_pair.c \
	tests/unit/tap.c tests/unit/tap.h
tests_unit_test_minidump_pair_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_minidump_pair_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--build-id
tests_unit_test_minidump_pair_test_LDADD = libcairn-report.la libcairn-minidump.la \
	libcairn-minidump-writer.la libcairn-capture.la libcairn-util.la $(CUNIT_LIBS)
TESTS += tests/unit/test_minidump_pair.test
endif

# ---- unit: report
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_report.test tests/unit/test_report_json.test tests/unit/test_spool.test
tests_unit_test_report_test_SOURCES = tests/unit/test_report.c tests/unit/dump_maker.c \
	tests/unit/dump_maker.h tests/unit/tap.c tests/unit/tap.h
tests_unit_test_report_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_report_test_LDADD = libcairn-report.la libcairn-minidump.la libcairn-util.la \
	$(CUNIT_LIBS)
tests_unit_test_report_json_test_SOURCES = tests/unit/test_report_json.c tests/unit/tap.c \
	tests/unit/tap.h
tests_unit_test_report_json_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_report_json_test_LDADD = libcairn-report.la libcairn-minidump.la libcairn-util.la \
	$(CUNIT_LIBS)
tests_unit_test_spool_test_SOURCES = tests/unit/test_spool.c tests/unit/tap.c tests/unit/tap.h
tests_unit_test_spool_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_spool_test_LDADD = libcairn-report.la libcairn-minidump.la libcairn-util.la \
	$(CUNIT_LIBS)
TESTS += tests/unit/test_report.test tests/unit/test_report_json.test tests/unit/test_spool.test
endif

# ---- unit: config
check_PROGRAMS += tests/engine/check_config
tests_engine_check_config_SOURCES = tests/engine/check_config.c tests/engine/check_config.h \
	tests/engine/config_tables.c
tests_engine_check_config_LDADD = libcairn-config.la libcairn-util.la
TESTS += tests/engine/config_golden.sh tests/engine/layers.sh tests/engine/said.sh tests/engine/stays.sh
EXTRA_DIST += tests/engine/config_golden.sh tests/engine/layers.sh tests/engine/said.sh tests/engine/stays.sh tests/golden
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_config.test
tests_unit_test_config_test_SOURCES = tests/unit/test_config.c tests/engine/check_config.h \
	tests/engine/config_tables.c tests/unit/tap.c tests/unit/tap.h
tests_unit_test_config_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_config_test_LDADD = libcairn-config.la libcairn-util.la $(CUNIT_LIBS)
TESTS += tests/unit/test_config.test
endif

# ---- unit: plugin
# The test plugins, most of them wrong in one way, as an outsider would link them.
TEST_PLUGINS = annotator/abort annotator/bad_offset annotator/bad_text annotator/common_key \
	annotator/crash annotator/crooked_offset annotator/executable_stack annotator/fail \
	annotator/flood annotator/good annotator/greedy annotator/hang annotator/keeper annotator/leave \
	annotator/linger \
	annotator/mute annotator/newer_minor annotator/no_choices annotator/no_symbol annotator/nothing \
	annotator/origin annotator/overlap annotator/overrun annotator/print annotator/quit \
	annotator/relr annotator/scribble annotator/sysv annotator/twice annotator/undone \
	annotator/unknown_kind annotator/unknown_type annotator/wrong_kind annotator/wrong_magic \
	annotator/wrong_major annotator/wrong_name annotator/wrong_note annotator/wrong_size \
	filter/good hook/good hook/newer transport/good writer/good writer/older
TEST_PLUGIN_FILES = $(TEST_PLUGINS:%=tests/plugins/built/%.so)
tests/plugins/built/%.so: tests/plugins/%.c tests/plugins/annotator.h include/cairn/plugin.h
	$(AM_V_CC)umask 022 && $(MKDIR_P) $(@D) && $(CC) -std=gnu11 -D_GNU_SOURCE -I$(top_srcdir)/include -I$(top_srcdir) \
		$(CPPFLAGS) $(CAIRN_WARNINGS) $(CFLAGS) -fPIC -shared -fvisibility=hidden $(LDFLAGS) -Wl,-z,now \
		$(TEST_PLUGIN_FLAGS) -o $@ $<
tests/plugins/built/annotator/executable_stack.so: TEST_PLUGIN_FLAGS = -Wl,-z,execstack
tests/plugins/built/annotator/origin.so: TEST_PLUGIN_FLAGS = -Wl,-rpath,'$$ORIGIN/lib'
tests/plugins/built/annotator/relr.so: TEST_PLUGIN_FLAGS = -Wl,-z,pack-relative-relocs
tests/plugins/built/annotator/sysv.so: TEST_PLUGIN_FLAGS = -Wl,--hash-style=sysv
EXTRA_DIST += tests/plugins/annotator.h $(TEST_PLUGINS:%=tests/plugins/%.c)
CLEAN_LOCALS += clean-test-plugins
clean-test-plugins:
	rm -rf tests/plugins/built
.PHONY: clean-test-plugins
if HAVE_CUNIT
PLUGIN_TEST_SOURCES = tests/unit/plugins.c tests/unit/plugins.h tests/unit/tap.c tests/unit/tap.h
PLUGIN_TEST_LIBS = libcairn-plugin.la libcairn-config.la libcairn-report.la libcairn-minidump.la \
	libcairn-util.la $(CUNIT_LIBS)
check_PROGRAMS += tests/unit/test_elf.test tests/unit/test_describe.test tests/unit/test_step.test \
	tests/unit/test_step_kinds.test tests/unit/test_wire.test
tests_unit_test_elf_test_SOURCES = tests/unit/test_elf.c $(PLUGIN_TEST_SOURCES)
tests_unit_test_elf_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_elf_test_LDADD = $(PLUGIN_TEST_LIBS)
EXTRA_tests_unit_test_elf_test_DEPENDENCIES = $(TEST_PLUGIN_FILES)
tests_unit_test_describe_test_SOURCES = tests/unit/test_describe.c $(PLUGIN_TEST_SOURCES)
tests_unit_test_describe_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_describe_test_LDADD = $(PLUGIN_TEST_LIBS)
EXTRA_tests_unit_test_describe_test_DEPENDENCIES = $(TEST_PLUGIN_FILES)
tests_unit_test_step_test_SOURCES = tests/unit/test_step.c $(PLUGIN_TEST_SOURCES)
tests_unit_test_step_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_step_test_LDADD = $(PLUGIN_TEST_LIBS)
EXTRA_tests_unit_test_step_test_DEPENDENCIES = $(TEST_PLUGIN_FILES)
tests_unit_test_step_kinds_test_SOURCES = tests/unit/test_step_kinds.c $(PLUGIN_TEST_SOURCES)
tests_unit_test_step_kinds_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_step_kinds_test_LDADD = $(PLUGIN_TEST_LIBS)
EXTRA_tests_unit_test_step_kinds_test_DEPENDENCIES = $(TEST_PLUGIN_FILES)
tests_unit_test_wire_test_SOURCES = tests/unit/test_wire.c tests/unit/tap.c tests/unit/tap.h
tests_unit_test_wire_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_wire_test_LDADD = $(PLUGIN_TEST_LIBS)
TESTS += tests/unit/test_elf.test tests/unit/test_describe.test tests/unit/test_step.test \
	tests/unit/test_step_kinds.test tests/unit/test_wire.test
endif

# ---- unit: crash and client
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_annotations.test
tests_unit_test_annotations_test_SOURCES = tests/unit/test_annotations.c tests/unit/tap.c \
	tests/unit/tap.h
tests_unit_test_annotations_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) -pthread
tests_unit_test_annotations_test_LDADD = libcairn-client.la libcairn-crash.la libcairn-records.la \
	libcairn-minidump-writer.la libcairn-capture.la $(CUNIT_LIBS) -lpthread
TESTS += tests/unit/test_annotations.test
check_PROGRAMS += tests/unit/test_crash.test
tests_unit_test_crash_test_SOURCES = tests/unit/test_crash.c tests/unit/crash_thread.c tests/unit/crash_thread.h \
	tests/unit/tap.c tests/unit/tap.h
tests_unit_test_crash_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_crash_test_LDADD = libcairn-crash.la libcairn-records.la libcairn-minidump-writer.la \
	libcairn-capture.la $(CUNIT_LIBS)
TESTS += tests/unit/test_crash.test
endif

# ---- crash: the handler against a stand-in for the monitor; the preload library; what is exported
check_PROGRAMS += tests/crash/victim tests/crash/preloaded tests/crash/fake/cairn-monitor
tests_crash_victim_SOURCES = tests/crash/victim.c tests/crash/victim.h tests/crash/victim_callbacks.c \
	tests/crash/victim_calls.c tests/crash/victim_faults.c tests/crash/victim_handlers.c
tests_crash_victim_CFLAGS = $(AM_CFLAGS) -O1 -pthread
tests_crash_victim_LDADD = libcairn.la -lpthread
check_PROGRAMS += tests/crash/ending_victim
tests_crash_ending_victim_SOURCES = tests/crash/ending_victim.c
tests_crash_ending_victim_CFLAGS = $(AM_CFLAGS) -O1 -pthread
tests_crash_ending_victim_LDADD = libcairn.la -lpthread
check_PROGRAMS += tests/crash/chance
tests_crash_chance_SOURCES = tests/crash/chance.c
tests_crash_chance_CFLAGS = $(AM_CFLAGS) -O1 -pthread
tests_crash_chance_LDADD = libcairn.la -lpthread
TESTS += tests/crash/chance.sh
EXTRA_DIST += tests/crash/chance.sh
check_PROGRAMS += tests/crash/children_victim
tests_crash_children_victim_SOURCES = tests/crash/children_victim.c
tests_crash_children_victim_CFLAGS = $(AM_CFLAGS) -O1 -g -pthread
tests_crash_children_victim_LDFLAGS = $(AM_LDFLAGS) -no-install
tests_crash_children_victim_LDADD = libcairn.la -lpthread
tests_crash_preloaded_SOURCES = tests/crash/preloaded.c tests/crash/mappings.h
tests_crash_preloaded_CFLAGS = $(AM_CFLAGS) -O1 -pthread -Wno-deprecated-declarations
tests_crash_fake_cairn_monitor_SOURCES = tests/crash/fake_monitor.c core/crash/page.h
TESTS += tests/crash/handler.sh tests/crash/preload.sh tests/crash/children.sh tests/wall/symbols.sh
EXTRA_DIST += tests/crash/handler.sh tests/crash/preload.sh tests/crash/children.sh tests/wall/symbols.sh \
	doc/abi/libcairn.symbols

# ---- unit: monitor
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_monitor.test
tests_unit_test_monitor_test_SOURCES = tests/unit/test_monitor.c tests/unit/good_plan.h tests/unit/tap.c tests/unit/tap.h
tests_unit_test_monitor_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_monitor_test_LDFLAGS = $(AM_LDFLAGS) -pthread
tests_unit_test_monitor_test_LDADD = libcairn-monitor.la $(CUNIT_LIBS)
TESTS += tests/unit/test_monitor.test
check_PROGRAMS += tests/unit/test_monitor_plan.test
tests_unit_test_monitor_plan_test_SOURCES = tests/unit/test_monitor_plan.c tests/unit/good_plan.h tests/unit/tap.c tests/unit/tap.h
tests_unit_test_monitor_plan_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_monitor_plan_test_LDFLAGS = $(AM_LDFLAGS) -pthread
tests_unit_test_monitor_plan_test_LDADD = libcairn-monitor.la $(CUNIT_LIBS)
TESTS += tests/unit/test_monitor_plan.test
endif

# ---- crash: the monitor with a victim that links libcairn and an engine that is a script
check_PROGRAMS += tests/crash/monitor_victim
tests_crash_monitor_victim_SOURCES = tests/crash/monitor_victim.c
tests_crash_monitor_victim_LDADD = libcairn.la
TESTS += tests/crash/monitor.sh
EXTRA_DIST += tests/crash/monitor.sh

# ---- unit: engine and sender
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_engine.test tests/unit/test_sender.test
tests_unit_test_engine_test_SOURCES = tests/unit/test_engine.c tests/unit/dump_maker.c \
	tests/unit/dump_maker.h tests/unit/tap.c tests/unit/tap.h \
	core/engine/code.c core/engine/plan.c core/engine/unwind.c
tests_unit_test_engine_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_engine_test_LDADD = libcairn-minidump.la libcairn-util.la $(CUNIT_LIBS)
tests_unit_test_sender_test_SOURCES = tests/unit/test_sender.c tests/unit/tap.c tests/unit/tap.h \
	core/sender/retry.c
tests_unit_test_sender_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_sender_test_LDADD = libcairn-config.la libcairn-report.la libcairn-minidump.la libcairn-util.la \
	$(CUNIT_LIBS)
TESTS += tests/unit/test_engine.test tests/unit/test_sender.test

# ---- unit: digests of large files
check_PROGRAMS += tests/unit/test_digest.test
tests_unit_test_digest_test_SOURCES = tests/unit/test_digest.c tests/unit/tap.c tests/unit/tap.h \
	core/engine/digest.c core/engine/digest.h
tests_unit_test_digest_test_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_digest_test_LDADD = libcairn-util.la $(CRYPTO_LIBS) $(CUNIT_LIBS)
TESTS += tests/unit/test_digest.test

# ---- unit: consent, previews
check_PROGRAMS += tests/unit/test_consent.test
tests_unit_test_consent_test_SOURCES = tests/unit/test_consent.c tests/unit/tap.c tests/unit/tap.h
tests_unit_test_consent_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_consent_test_LDADD = $(PLUGIN_TEST_LIBS)
TESTS += tests/unit/test_consent.test
endif

# ---- engine and sender, end to end with fake plugins
TESTS += tests/engine/check.sh tests/engine/pipeline.sh tests/engine/places.sh tests/engine/recover.sh \
	tests/engine/sender.sh tests/engine/senders.sh tests/engine/faults.sh tests/engine/walk.sh
EXTRA_DIST += tests/engine/faults.sh tests/engine/faults.py tests/engine/fault.c
EXTRA_DIST += tests/engine/check.sh tests/engine/pipeline.sh tests/engine/places.sh tests/engine/recover.sh \
	tests/engine/sender.sh tests/engine/senders.sh tests/engine/walk.sh tests/engine/fakes.sh tests/engine/plugins

# ---- unit: bundled plugins
EXTRA_DIST += tests/servers/as_sent.py tests/servers/receiver.py
if HAVE_CUNIT
BUNDLED_TEST_SOURCES = tests/unit/plugin_harness.c tests/unit/plugin_harness.h \
	tests/unit/plugin_harness_options.c \
	tests/unit/tap.c tests/unit/tap.h
PLUGIN_TESTS = tests/unit/test_plugin_filters.test tests/unit/test_plugin_annotators.test \
	tests/unit/test_plugin_writers.test tests/unit/test_plugin_hooks.test \
	tests/unit/test_plugin_directory.test tests/unit/test_plugin_transports.test
check_PROGRAMS += $(PLUGIN_TESTS)
TESTS += $(PLUGIN_TESTS)
tests_unit_test_plugin_filters_test_SOURCES = tests/unit/test_plugin_filters.c $(BUNDLED_TEST_SOURCES)
tests_unit_test_plugin_filters_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_plugin_filters_test_LDADD = libcairn-util.la $(CUNIT_LIBS)
tests_unit_test_plugin_annotators_test_SOURCES = tests/unit/test_plugin_annotators.c $(BUNDLED_TEST_SOURCES)
tests_unit_test_plugin_annotators_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_plugin_annotators_test_LDADD = libcairn-util.la $(CUNIT_LIBS)
tests_unit_test_plugin_writers_test_SOURCES = tests/unit/test_plugin_writers.c $(BUNDLED_TEST_SOURCES)
tests_unit_test_plugin_writers_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_plugin_writers_test_LDADD = libcairn-util.la $(CUNIT_LIBS)
tests_unit_test_plugin_hooks_test_SOURCES = tests/unit/test_plugin_hooks.c $(BUNDLED_TEST_SOURCES)
tests_unit_test_plugin_hooks_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_plugin_hooks_test_LDADD = libcairn-util.la $(CUNIT_LIBS)
tests_unit_test_plugin_directory_test_SOURCES = tests/unit/test_plugin_directory.c $(BUNDLED_TEST_SOURCES)
tests_unit_test_plugin_directory_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_plugin_directory_test_LDADD = libcairn-util.la $(CUNIT_LIBS)
tests_unit_test_plugin_transports_test_SOURCES = tests/unit/test_plugin_transports.c $(BUNDLED_TEST_SOURCES)
tests_unit_test_plugin_transports_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(CJSON_CFLAGS)
tests_unit_test_plugin_transports_test_LDADD = libcairn-util.la $(CUNIT_LIBS) $(CJSON_LIBS)
endif

# ---- unit: the second pack of bundled plugins, and the services that the host offers them
if HAVE_CUNIT
PACK_TESTS = tests/unit/test_pack_filters.test tests/unit/test_pack_annotators.test \
	tests/unit/test_pack_outputs.test
check_PROGRAMS += $(PACK_TESTS)
TESTS += $(PACK_TESTS)
tests_unit_test_pack_filters_test_SOURCES = tests/unit/test_pack_filters.c $(BUNDLED_TEST_SOURCES)
tests_unit_test_pack_filters_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_pack_filters_test_LDADD = libcairn-util.la $(CUNIT_LIBS)
tests_unit_test_pack_annotators_test_SOURCES = tests/unit/test_pack_annotators.c \
	$(BUNDLED_TEST_SOURCES)
tests_unit_test_pack_annotators_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_pack_annotators_test_LDADD = libcairn-util.la $(CUNIT_LIBS)
tests_unit_test_pack_outputs_test_SOURCES = tests/unit/test_pack_outputs.c $(BUNDLED_TEST_SOURCES)
tests_unit_test_pack_outputs_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS) $(CJSON_CFLAGS)
tests_unit_test_pack_outputs_test_LDADD = libcairn-util.la $(CUNIT_LIBS) $(CJSON_LIBS)
endif
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_services.test
tests_unit_test_services_test_SOURCES = tests/unit/test_services.c $(PLUGIN_TEST_SOURCES)
tests_unit_test_services_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_services_test_LDADD = $(PLUGIN_TEST_LIBS)
EXTRA_tests_unit_test_services_test_DEPENDENCIES = $(TEST_PLUGIN_FILES)
TESTS += tests/unit/test_services.test
endif
TESTS += tests/plugins/pack.sh tests/plugins/container.sh tests/plugins/manual.sh
EXTRA_DIST += tests/plugins/pack.sh tests/plugins/container.sh tests/plugins/manual.sh

# ---- wall
TESTS += tests/wall/imports.sh
EXTRA_DIST += tests/wall/imports.sh

# ---- capture and minidump writer: unit tests, and a victim of their own
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_capture_hostile.test
tests_unit_test_capture_hostile_test_SOURCES = tests/unit/test_capture_hostile.c tests/unit/tap.c tests/unit/tap.h
tests_unit_test_capture_hostile_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_capture_hostile_test_LDADD = libcairn-capture.la $(CUNIT_LIBS)
TESTS += tests/unit/test_capture_hostile.test

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

# ---- crash: the matrix of ways to crash: one victim without Cairn and with it, and their driver
MATRIX_VICTIM = tests/crash/victims/victim.c tests/crash/victims/victim.h \
	tests/crash/victims/faults.c tests/crash/victims/limits.c tests/crash/victims/moments.c \
	tests/crash/victims/sandboxes.c tests/crash/victims/signals.c tests/crash/victims/stacks.c \
	tests/crash/victims/threads.c
# Frames and symbols as they are written, whatever the build's flags; the module needs our symbols.
MATRIX_FLAGS = -g -O0 -U_FORTIFY_SOURCE -fno-omit-frame-pointer -fno-stack-protector -pthread
$(tests_crash_matrix_victim_OBJECTS) $(tests_crash_matrix_embedded_OBJECTS) $(tests_crash_matrix_linked_OBJECTS): \
	override CFLAGS += $(MATRIX_FLAGS)
check_PROGRAMS += tests/crash/matrix_victim tests/crash/matrix_embedded tests/crash/matrix_linked
tests_crash_matrix_victim_SOURCES = $(MATRIX_VICTIM)
tests_crash_matrix_victim_CFLAGS = $(AM_CFLAGS)
tests_crash_matrix_victim_LDFLAGS = $(AM_LDFLAGS) -pthread -rdynamic -Wl,--build-id
tests_crash_matrix_victim_LDADD = -ldl
tests_crash_matrix_embedded_SOURCES = $(MATRIX_VICTIM) tests/crash/victims/embedded.c tests/crash/victims/prepared.c
tests_crash_matrix_embedded_CFLAGS = $(AM_CFLAGS)
tests_crash_matrix_embedded_LDFLAGS = $(AM_LDFLAGS) -pthread -rdynamic -Wl,--build-id
tests_crash_matrix_embedded_LDADD = libcairn.la -ldl
tests_crash_matrix_linked_SOURCES = $(MATRIX_VICTIM) tests/crash/victims/embedded.c
tests_crash_matrix_linked_CFLAGS = $(AM_CFLAGS)
tests_crash_matrix_linked_LDFLAGS = $(tests_crash_matrix_embedded_LDFLAGS)
tests_crash_matrix_linked_LDADD = libcairn-threads.la libcairn.la -ldl
tests/crash/matrix_module.so: tests/crash/victims/module.c
	$(AM_V_CC)$(MKDIR_P) $(@D) && $(CC) -std=gnu11 $(CFLAGS) -fPIC -shared $(LDFLAGS) -o $@ $(srcdir)/tests/crash/victims/module.c
check_DATA += tests/crash/matrix_module.so
CLEANFILES += tests/crash/matrix_module.so
TESTS += tests/crash/matrix.sh
EXTRA_DIST += tests/crash/matrix tests/crash/matrix.sh tests/crash/matrix_judge.py \
	tests/crash/matrix_rows.py tests/crash/matrix_run.py tests/crash/victims/module.c \
	tests/crash/README.md
# ---- crash: the tiers without a monitor
check_PROGRAMS += tests/crash/tier_victim
tests_crash_tier_victim_SOURCES = tests/crash/tier_victim.c
tests_crash_tier_victim_CFLAGS = $(AM_CFLAGS) -O1 -pthread
tests_crash_tier_victim_LDFLAGS = $(AM_LDFLAGS) -no-install
tests_crash_tier_victim_LDADD = libcairn.la -lpthread
TESTS += tests/crash/tiers.sh tests/crash/freezes.sh
EXTRA_DIST += tests/crash/tiers.sh tests/crash/freezes.sh tests/crash/freezes.py tests/crash/freezes_fail.py \
	tests/crash/freezes_strike.py tests/crash/freezes_trial.py

# ---- crash: ends that nobody can catch
check_PROGRAMS += tests/crash/death_victim
tests_crash_death_victim_SOURCES = tests/crash/death_victim.c
tests_crash_death_victim_LDFLAGS = $(AM_LDFLAGS) -no-install
tests_crash_death_victim_LDADD = libcairn.la
if HAVE_CUNIT
check_PROGRAMS += tests/unit/test_death.test
tests_unit_test_death_test_SOURCES = tests/unit/test_death.c tests/unit/tap.c tests/unit/tap.h
tests_unit_test_death_test_CFLAGS = $(AM_CFLAGS) $(CUNIT_CFLAGS)
tests_unit_test_death_test_LDFLAGS = $(AM_LDFLAGS) -pthread
tests_unit_test_death_test_LDADD = libcairn-monitor.la $(CUNIT_LIBS)
TESTS += tests/unit/test_death.test
endif
TESTS += tests/crash/deaths.sh
EXTRA_DIST += tests/crash/deaths.sh

# ---- end to end: real programs, the staged installation
dist_check_SCRIPTS = \
	tests/wall/driver.sh tests/wall/includes.sh tests/wall/licence.sh tests/wall/style.sh tests/wall/threat-model.sh \
	tests/crash/redis.sh tests/crash/programs.sh tests/crash/thrown.sh tests/crash/embed.sh \
	tests/crash/copies.sh tests/crash/own_handlers.sh tests/crash/runtimes.sh tests/crash/threads.sh \
	tests/servers/as-sent.sh tests/servers/compressed.sh tests/servers/upload.sh \
	tests/tools/bench.sh tests/tools/cli.sh tests/tools/consent.sh tests/tools/doctor.sh tests/tools/documents.sh tests/tools/privacy.sh tests/tools/security.sh \
	tests/tools/units.sh
check_PROGRAMS += tests/crash/page_liar
tests_crash_page_liar_SOURCES = tests/crash/page_liar.c core/crash/page.h
TESTS += $(dist_check_SCRIPTS)
EXTRA_DIST += tests/crash/copies.c tests/crash/copies_plugin.c tests/crash/copies_table.c tests/crash/threads_victim.c \
	tests/crash/threads_std.cc
EXTRA_DIST += tests/tools/documents.py tests/crash/embed.c tests/crash/own_handlers.c tests/crash/chained.c tests/crash/runtimes tests/lib.sh tests/setup.sh tests/installcheck.sh tests/wall/hostile-flags.sh tests/wall/mutations.sh tests/wall/mutations.txt \
	tests/readers/package.json

# ---- plugins: the ABI against its frozen copies, what faulty plugins cost, the author's kit
TESTS += tests/abi/abi.sh tests/abi/embed.sh tests/plugins/isolation.sh tests/plugins/kit.sh \
	tests/plugins/tutorial.sh tests/plugins/large.sh tests/plugins/limit.sh tests/plugins/redact.sh tests/plugins/sanitize.sh tests/plugins/descriptors.sh
EXTRA_DIST += tests/plugins/large.sh tests/plugins/limit.sh tests/plugins/redact.sh tests/plugins/sanitize.sh tests/plugins/sanitize.c tests/plugins/descriptors.sh \
	tests/plugins/tutorial.sh tests/plugins/tutorial.py tests/abi/abi.sh tests/abi/layout.c \
	tests/abi/plugin.c tests/abi/1.0/plugin.h tests/abi/1.0/cairn.h \
	tests/abi/embed.c tests/abi/embed.sh tests/plugins/isolation.sh tests/plugins/isolation.py tests/plugins/fault.c \
	tests/plugins/no_seccomp.c tests/plugins/kit.sh tests/plugins/lint.c

# ---- fuzz targets
include tests/fuzz/local.mk

# ---- targets of ./check
check-unit: all-am $(check_PROGRAMS) $(check_LTLIBRARIES)
	$(MAKE) $(AM_MAKEFLAGS) check-TESTS TESTS='$(filter %.test,$(TESTS))'

INSTALLCHECKS += installcheck-examples
installcheck-examples:
	CAIRN_SRCDIR='$(abs_top_srcdir)' CAIRN_BUILDDIR='$(abs_top_builddir)' CAIRN_STAGE='$(DESTDIR)$(prefix)' \
	CAIRN_SYSROOT='$(DESTDIR)' CC='$(CC)' $(SHELL) $(top_srcdir)/tests/installcheck.sh

# What a tarball must show beyond what the same tests have shown in the checkout: that nothing is missing.
DISTCHECK_TESTS = $(filter %.test,$(TESTS)) tests/wall/imports.sh tests/wall/includes.sh tests/wall/symbols.sh \
	tests/engine/config_golden.sh tests/engine/pipeline.sh tests/crash/redis.sh tests/crash/embed.sh tests/tools/cli.sh
distcheck-short:
	$(MAKE) $(AM_MAKEFLAGS) distcheck TESTS='$(DISTCHECK_TESTS)'
.PHONY: check-unit distcheck-short installcheck-examples
