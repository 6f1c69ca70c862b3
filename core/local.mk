# SPDX-License-Identifier: Apache-2.0
# core/: libcairn, the monitor, the engine, the sender. One block per folder.

# ---- Code that runs in a crashed process imports nothing. These flags come after the user's CFLAGS
# ---- on purpose: a distribution's stack protector, fortification or LTO would bring imports back.
CRASH_FLAGS = -ffreestanding -fno-builtin -fno-stack-protector -fno-sanitize=all -fno-lto \
	-fno-profile-arcs -fno-test-coverage -fcf-protection=none -U_FORTIFY_SOURCE -fPIC $(SMALL_FLAGS) \
	-ffunction-sections -fdata-sections $(CRASH_EXTRA_FLAGS)

# Nobody unwinds through what works below the handler; its tables would be a tenth of libcairn.
BELOW_HANDLER_FLAGS = $(CRASH_FLAGS) -fno-asynchronous-unwind-tables -fno-unwind-tables

# ---- util: every process but the crashed one
noinst_LTLIBRARIES += libcairn-util.la
libcairn_util_la_SOURCES = \
	core/util/buf.c core/util/buf.h \
	core/util/error.c core/util/error.h core/util/fault.c core/util/fault.h \
	core/util/fs.c core/util/fs.h core/util/holder.c core/util/holder.h core/util/remove.c core/util/trust.c \
	core/util/log.c core/util/log.h \
	core/util/nocore.c core/util/nocore.h core/util/paths.c core/util/paths.h \
	core/util/sha256.c core/util/signals.c \
	core/util/text.c core/util/text.h \
	core/util/time.c core/util/time.h core/util/turn.c core/util/turn.h
libcairn_util_la_CFLAGS = $(AM_CFLAGS) $(MD_CFLAGS)
libcairn_util_la_LIBADD = $(MD_LIBS)

# ---- capture: [crash, monitor]
noinst_LTLIBRARIES += libcairn-capture.la
libcairn_capture_la_SOURCES = \
	core/capture/arch/arch.h \
	core/capture/arch/x86_64/registers.c core/capture/arch/x86_64/registers.h \
	core/capture/arch/x86_64/restore.c core/capture/arch/x86_64/syscall.h \
	core/capture/arena.c core/capture/arena.h \
	core/capture/builtins.c core/capture/builtins.h \
	core/capture/capture.c core/capture/capture.h core/capture/parts.h \
	core/capture/choose.c core/capture/descriptors.c core/capture/exception.c core/capture/full.c \
	core/capture/referenced.c \
	core/capture/linkage.c core/capture/linked.c core/capture/mappings.c core/capture/memory.c \
	core/capture/message.c core/capture/modules.c core/capture/process.c core/capture/sys.h \
	core/capture/text.c core/capture/text.h core/capture/threads.c core/capture/trim.c
$(libcairn_capture_la_OBJECTS): override CFLAGS += $(BELOW_HANDLER_FLAGS)

# ---- minidump writer: [crash, monitor]
noinst_LTLIBRARIES += libcairn-minidump-writer.la
libcairn_minidump_writer_la_SOURCES = \
	core/minidump/format.h core/minidump/writer.c core/minidump/writer.h \
	core/minidump/write_crashpad.c core/minidump/write_file.c core/minidump/write_handles.c core/minidump/write_layout.h core/minidump/write_linux.c \
	core/minidump/write_memory.c core/minidump/write_modules.c core/minidump/write_own.c \
	core/minidump/write_parts.h core/minidump/write_records.c core/minidump/write_system.c \
	core/minidump/write_threads.c
$(libcairn_minidump_writer_la_OBJECTS): override CFLAGS += $(BELOW_HANDLER_FLAGS)

# ---- crash: [crash]; the records are for the monitor too, the rest is in every program
noinst_LTLIBRARIES += libcairn-crash-below.la libcairn-crash.la libcairn-records.la
libcairn_crash_below_la_SOURCES = \
	core/crash/callback.c core/crash/calls.c core/crash/calls.h core/crash/children.c core/crash/event.c \
	core/crash/gate.c core/crash/outcome.c core/crash/reserve.c core/crash/signals.c core/crash/tiers.c
$(libcairn_crash_below_la_OBJECTS): override CFLAGS += $(BELOW_HANDLER_FLAGS)
# Through these the program's own handlers walk to where the signal struck.
libcairn_crash_la_SOURCES = \
	core/crash/arch/x86_64/context.h core/crash/arch/x86_64/guard.c \
	core/crash/ending.c core/crash/handler.c core/crash/handler.h core/crash/own.c \
	core/crash/page.h core/crash/parts.h
libcairn_crash_la_LIBADD = libcairn-crash-below.la
$(libcairn_crash_la_OBJECTS): override CFLAGS += $(CRASH_FLAGS)
libcairn_records_la_SOURCES = core/crash/page.h core/crash/records.c core/crash/records.h
$(libcairn_records_la_OBJECTS): override CFLAGS += $(BELOW_HANDLER_FLAGS)

# ---- client: [app]
noinst_LTLIBRARIES += libcairn-client.la
libcairn_client_la_SOURCES = \
	core/client/api.c core/client/client.c core/client/client.h core/client/describe.c core/client/dump.c \
	core/client/page_write.c core/client/revive.c core/client/setup.c core/client/spawn.c \
	core/client/spawn.h core/client/spawn_child.c core/client/stack.c core/client/text.c
# The preload library leaves out the API's functions, which nobody calls there. Small goes before fast: what is bound
# at the start needs no procedure linkage table.
libcairn_client_la_CFLAGS = $(AM_CFLAGS) -ffunction-sections -fdata-sections -fno-plt
$(libcairn_client_la_OBJECTS): override CFLAGS += $(SMALL_FLAGS)
# `cairn_copy` may be another object's: even in the static library it is looked up.
$(filter %api.lo,$(libcairn_client_la_OBJECTS)): override CFLAGS += -fPIC
# Only what waits in cairn_dump() is ever walked through.
$(filter-out %dump.lo,$(libcairn_client_la_OBJECTS)): override CFLAGS += -fno-asynchronous-unwind-tables -fno-unwind-tables

# The handler with all that tiers 2 and 3 stand on.
CRASH_PATH = libcairn-crash.la libcairn-records.la libcairn-minidump-writer.la libcairn-capture.la

lib_LTLIBRARIES += libcairn.la
libcairn_la_SOURCES =
libcairn_la_LIBADD = libcairn-client.la $(CRASH_PATH)
# Its signal handler must stay where it is, even when a plugin host unloads us.
# Sorted, so that the data that is written lies together; see `calls` in core/crash/own.c. The compiler's start files are
# half a kilobyte for what this library has none of: transactional memory, C++ destructors, an end before the process's.
libcairn_la_LDFLAGS = $(AM_LDFLAGS) -no-undefined -version-info 1:0:0 -Wl,--gc-sections -Wl,-z,nodelete \
	-Wl,--sort-section=name -Wc,-nostartfiles \
	-Wl,--version-script=$(srcdir)/core/client/libcairn.map
EXTRA_libcairn_la_DEPENDENCIES = core/client/libcairn.map
EXTRA_DIST += core/client/libcairn.map core/client/preload.map

# The preload library is a module: nobody links to it, so its .la is of no use to anybody.
preloaddir = $(pkglibdir)
preload_LTLIBRARIES = libcairn-preload.la
libcairn_preload_la_SOURCES = core/client/preload.c core/client/preload.h \
	core/client/preload_environment.c core/client/preload_exec.c core/client/preload_exit.c \
	core/client/preload_masks.c \
	core/client/preload_signals.c core/client/preload_threads.c core/client/preload_waits.c \
	core/client/threads.c core/client/threads.h core/client/threads_next.c
libcairn_preload_la_CFLAGS = $(libcairn_client_la_CFLAGS)
$(libcairn_preload_la_OBJECTS): override CFLAGS += $(SMALL_FLAGS)
# The program's own code runs below the others.
$(filter-out %exit.lo %la-threads.lo %la-threads_next.lo %waits.lo,$(libcairn_preload_la_OBJECTS)): override CFLAGS += -fno-asynchronous-unwind-tables -fno-unwind-tables
libcairn_preload_la_LIBADD = libcairn-client.la $(CRASH_PATH)
libcairn_preload_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -no-undefined \
	-Wl,-z,initfirst -Wl,--gc-sections -Wl,--sort-section=name -Wc,-nostartfiles \
	-Wl,--version-script=$(srcdir)/core/client/preload.map
EXTRA_libcairn_preload_la_DEPENDENCIES = core/client/preload.map
INSTALL_DATA_HOOKS += install-data-preload
UNINSTALL_HOOKS += uninstall-preload
install-data-preload:
	rm -f $(DESTDIR)$(preloaddir)/libcairn-preload.la
uninstall-preload:
	rm -f $(DESTDIR)$(preloaddir)/libcairn-preload.so

# What a program opts in to for its threads: libc's functions for them in front of libc, or in its place where all is one
# file. The shared one has stacks of its own, so that it goes with any kind and number of copies of libcairn.
THREADS_LIBRARY = core/client/threads.c core/client/threads.h core/client/threads_library.c
lib_LTLIBRARIES += libcairn-threads.la
libcairn_threads_la_SOURCES = $(THREADS_LIBRARY) core/client/threads_next.c core/client/client.h core/client/stack.c
libcairn_threads_la_CFLAGS = $(libcairn_client_la_CFLAGS)
$(libcairn_threads_la_OBJECTS): override CFLAGS += $(SMALL_FLAGS)
# Threads run in it until they end, even when a plugin host unloads us.
libcairn_threads_la_LDFLAGS = $(AM_LDFLAGS) -shared -no-undefined -version-info 1:0:0 -Wl,--gc-sections -Wl,-z,nodelete \
	-Wl,--version-script=$(srcdir)/core/client/threads.map
EXTRA_libcairn_threads_la_DEPENDENCIES = core/client/threads.map
EXTRA_DIST += core/client/threads.map
if STATIC_LIBRARIES
lib_LIBRARIES += libcairn-threads.a
libcairn_threads_a_SOURCES = $(THREADS_LIBRARY) core/client/threads_wrap.c
libcairn_threads_a_CFLAGS = $(libcairn_client_la_CFLAGS)
endif

# ---- monitor: one per program; libc only. All but main() is a library, so that it can be tested.
noinst_LTLIBRARIES += libcairn-monitor.la
libcairn_monitor_la_SOURCES = \
	core/monitor/announce.c core/monitor/announce.h \
	core/monitor/captor.c core/monitor/captor.h \
	core/monitor/cgroup.c core/monitor/cgroup.h \
	core/monitor/check.c core/monitor/check.h core/monitor/clock.h \
	core/monitor/crash.c core/monitor/crash.h \
	core/monitor/death.c core/monitor/death.h \
	core/monitor/dump.c core/monitor/dump.h \
	core/monitor/end.c core/monitor/end.h \
	core/monitor/engine.c core/monitor/engine.h \
	core/monitor/foreign.c core/monitor/foreign.h \
	core/monitor/identity.c core/monitor/identity.h \
	core/monitor/proc.c core/monitor/proc.h \
	core/monitor/family.c core/monitor/family.h \
	core/monitor/incoming.c core/monitor/incoming.h \
	core/monitor/jobs.c core/monitor/jobs.h \
	core/monitor/life.c core/monitor/life.h \
	core/monitor/log.c core/monitor/log.h core/monitor/look.c core/monitor/look.h \
	core/monitor/monitor.c core/monitor/monitor.h \
	core/monitor/oneshot.c core/monitor/oneshot.h \
	core/monitor/page.c core/monitor/page.h \
	core/monitor/place.c core/monitor/place.h \
	core/monitor/plan.c core/monitor/plan.h \
	core/monitor/provisional.c core/monitor/provisional.h \
	core/monitor/queue.c core/monitor/queue.h \
	core/monitor/report.c core/monitor/report.h \
	core/monitor/rescue.c core/monitor/reserve.c core/monitor/reserve.h \
	core/monitor/spare.c core/monitor/spare.h \
	core/monitor/sync.c core/monitor/sync.h \
	core/monitor/uuid.c core/monitor/uuid.h \
	core/monitor/watch.c core/monitor/watch.h \
	core/util/fault.c core/util/fault.h
libcairn_monitor_la_CFLAGS = $(AM_CFLAGS) -pthread
libcairn_monitor_la_LIBADD = libcairn-records.la libcairn-minidump-writer.la libcairn-capture.la
cairnlibexec_PROGRAMS += cairn-monitor
cairn_monitor_SOURCES = core/monitor/main.c
cairn_monitor_CFLAGS = $(AM_CFLAGS) -pthread
cairn_monitor_LDFLAGS = $(AM_LDFLAGS) -pthread
cairn_monitor_LDADD = libcairn-monitor.la

# ---- minidump reader: engine, sender, tools
noinst_LTLIBRARIES += libcairn-minidump.la
libcairn_minidump_la_SOURCES = \
	core/minidump/format.h core/minidump/reader.h core/minidump/reader_inner.h \
	core/minidump/reader.c core/minidump/reader_cpu.c core/minidump/reader_memory.c \
	core/minidump/reader_modules.c core/minidump/reader_records.c core/minidump/reader_text.c \
	core/minidump/reader_threads.c

# ---- config: YAML to a tree with positions to typed options; only yaml.c sees libyaml
noinst_LTLIBRARIES += libcairn-config.la
libcairn_config_la_SOURCES = \
	core/config/amount.c core/config/arena.c core/config/check.c core/config/choose.c \
	core/config/config.h core/config/cursor.c core/config/emit.c core/config/enforce.c \
	core/config/hide.c core/config/internal.h core/config/layers.c core/config/load.c \
	core/config/merge.c core/config/options.c core/config/own.c core/config/pipelines.c \
	core/config/place.c core/config/policy.c core/config/print.c core/config/problem.c \
	core/config/problem.h core/config/schema.c core/config/schema.h core/config/scrub.c \
	core/config/sections.c core/config/source.c core/config/subst.c core/config/table.c \
	core/config/tree.c core/config/tree.h core/config/utf8.c core/config/value.c \
	core/config/yaml.c
libcairn_config_la_CFLAGS = $(AM_CFLAGS) $(YAML_CFLAGS)
libcairn_config_la_LIBADD = libcairn-util.la $(YAML_LIBS)

# ---- report: engine, sender, tools; json.c is cJSON's one home
noinst_LTLIBRARIES += libcairn-report.la
libcairn_report_la_SOURCES = \
	core/report/faults.h core/report/json_faults.c \
	core/report/consent.c core/report/consent.h core/report/consent_file.c \
	core/report/report.h core/report/spool.h core/report/report_inner.h core/report/spool_inner.h \
	core/report/report.c core/report/artifacts.c core/report/from_minidump.c core/report/from_records.c core/report/thrown.c \
	core/report/get.c core/report/json.c core/report/json_text.c core/report/json_write.c core/report/prune.c \
	core/report/signature.c core/report/spool.c core/report/spool_drops.c core/report/spool_scan.c
libcairn_report_la_CFLAGS = $(AM_CFLAGS) $(CJSON_CFLAGS)
libcairn_report_la_LIBADD = $(CJSON_LIBS) -lm

# ---- plugin: found, described from bytes, loaded in a step
noinst_LTLIBRARIES += libcairn-plugin.la
libcairn_plugin_la_SOURCES = \
	core/plugin/bind.c core/plugin/call.c core/plugin/confine.c core/plugin/describe.c \
	core/plugin/elf.c core/plugin/elf.h core/plugin/elf_link.c core/plugin/faults.c \
	core/plugin/faults.h core/plugin/find.c core/plugin/host.c core/plugin/host.h \
	core/plugin/host_artifact.c core/plugin/host_report.c core/plugin/intake.c \
	core/plugin/intake.h core/plugin/internal.h core/plugin/load.c core/plugin/options.c \
	core/plugin/plugin.h core/plugin/preview.c core/plugin/preview.h core/plugin/preview_read.c \
	core/plugin/rehearse.c core/plugin/restrict.c core/plugin/scan.c core/plugin/setup.c \
	core/plugin/setup.h core/plugin/state.c core/plugin/step.c core/plugin/step.h \
	core/plugin/text.c core/plugin/wire.c core/plugin/wire.h
libcairn_plugin_la_LIBADD = -ldl

# ---- engine; what it walks stacks with is a module, libdw's one home; so is what digests large files, libcrypto's
cairnlibexec_PROGRAMS += cairn-engine
cairn_engine_SOURCES = \
	core/engine/engine.h core/engine/code.h core/engine/digest.h core/engine/plan.h \
	core/engine/stackwalk.h core/engine/unwind.h \
	core/engine/artifacts.c core/engine/attachments.c core/engine/begin.c core/engine/check.c \
	core/engine/code.c core/engine/commit.c core/engine/consent.c core/engine/digest_load.c \
	core/engine/held.c core/engine/import.c core/engine/launch.c core/engine/main.c \
	core/engine/module.c core/engine/pipeline.c core/engine/plan.c core/engine/recover.c \
	core/engine/replace.c core/engine/report.c core/engine/reserve.c core/engine/run.c \
	core/engine/setup.c core/engine/stackwalk_load.c core/engine/stages.c core/engine/taken.c \
	core/engine/unwind.c core/engine/walk.c core/engine/writers.c
cairn_engine_LDADD = libcairn-plugin.la libcairn-config.la libcairn-report.la libcairn-minidump.la \
	libcairn-util.la -ldl
cairnlibexec_LTLIBRARIES = cairn-stackwalk.la cairn-digest.la
ENGINE_MODULE_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared -no-undefined
cairn_stackwalk_la_SOURCES = core/engine/stackwalk.c core/engine/stackwalk.h core/engine/unwind.h
cairn_stackwalk_la_CFLAGS = $(AM_CFLAGS) $(DW_CFLAGS)
cairn_stackwalk_la_LDFLAGS = $(ENGINE_MODULE_LDFLAGS) -export-symbols-regex '^cairn_stackwalk$$'
cairn_stackwalk_la_LIBADD = libcairn-minidump.la libcairn-util.la $(DW_LIBS)
cairn_digest_la_SOURCES = core/engine/digest.c core/engine/digest.h
cairn_digest_la_CFLAGS = $(AM_CFLAGS) $(CRYPTO_CFLAGS)
cairn_digest_la_LDFLAGS = $(ENGINE_MODULE_LDFLAGS) -export-symbols-regex '^cairn_digest$$'
cairn_digest_la_LIBADD = $(CRYPTO_LIBS)
INSTALL_DATA_HOOKS += install-data-engine-modules
UNINSTALL_HOOKS += uninstall-engine-modules
install-data-engine-modules:
	rm -f $(DESTDIR)$(cairnlibexecdir)/cairn-stackwalk.la $(DESTDIR)$(cairnlibexecdir)/cairn-digest.la
uninstall-engine-modules:
	rm -f $(DESTDIR)$(cairnlibexecdir)/cairn-stackwalk.so $(DESTDIR)$(cairnlibexecdir)/cairn-digest.so

# ---- sender
cairnlibexec_PROGRAMS += cairn-sender
cairn_sender_SOURCES = \
	core/sender/sender.h core/sender/retry.h \
	core/sender/batch.c core/sender/deliver.c core/sender/main.c core/sender/place.c core/sender/retry.c \
	core/sender/setup.c
cairn_sender_LDADD = libcairn-plugin.la libcairn-config.la libcairn-report.la libcairn-minidump.la \
	libcairn-util.la
