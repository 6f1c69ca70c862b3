# SPDX-License-Identifier: Apache-2.0
# plugins/: the bundled plugins, one block each. A plugin sees include/cairn/plugin.h and its own
# library, and exports its descriptor only.

PLUGIN_LDFLAGS = -module -avoid-version -shared -no-undefined \
	-export-symbols-regex '^cairn_plugin_entry$$' $(AM_LDFLAGS)
PLUGIN_CFLAGS = $(AM_CFLAGS) -shared

pluginfilterdir = $(pkglibdir)/plugins/filter
pluginannotatordir = $(pkglibdir)/plugins/annotator
pluginwriterdir = $(pkglibdir)/plugins/writer
pluginhookdir = $(pkglibdir)/plugins/hook
plugintransportdir = $(pkglibdir)/plugins/transport
pluginfilter_LTLIBRARIES =
pluginannotator_LTLIBRARIES =
pluginwriter_LTLIBRARIES =
pluginhook_LTLIBRARIES =
plugintransport_LTLIBRARIES =

# ---- filter/signal
pluginfilter_LTLIBRARIES += plugins/filter/signal.la
plugins_filter_signal_la_SOURCES = plugins/filter/signal.c
plugins_filter_signal_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_filter_signal_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- filter/match
pluginfilter_LTLIBRARIES += plugins/filter/match.la
plugins_filter_match_la_SOURCES = plugins/filter/match.c
plugins_filter_match_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_filter_match_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- filter/sample
pluginfilter_LTLIBRARIES += plugins/filter/sample.la
plugins_filter_sample_la_SOURCES = plugins/filter/sample.c
plugins_filter_sample_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_filter_sample_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- what plugins share that read captured files of /proc, or texts, or that read and write files
PLUGIN_PROC = plugins/common/proc.c plugins/common/proc.h
PLUGIN_UTF8 = plugins/common/utf8.c plugins/common/utf8.h
PLUGIN_FD = plugins/common/fd.c plugins/common/fd.h

# ---- filter/ratelimit
pluginfilter_LTLIBRARIES += plugins/filter/ratelimit.la
plugins_filter_ratelimit_la_SOURCES = plugins/filter/ratelimit/ratelimit.c \
	plugins/filter/ratelimit/ledger.c plugins/filter/ratelimit/ledger.h \
	$(PLUGIN_FD) $(PLUGIN_PROC)
plugins_filter_ratelimit_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_filter_ratelimit_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- filter/module
pluginfilter_LTLIBRARIES += plugins/filter/module.la
plugins_filter_module_la_SOURCES = plugins/filter/module.c
plugins_filter_module_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_filter_module_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- filter/uptime
pluginfilter_LTLIBRARIES += plugins/filter/uptime.la
plugins_filter_uptime_la_SOURCES = plugins/filter/uptime.c $(PLUGIN_PROC)
plugins_filter_uptime_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_filter_uptime_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- annotator/static
pluginannotator_LTLIBRARIES += plugins/annotator/static.la
plugins_annotator_static_la_SOURCES = plugins/annotator/static.c
plugins_annotator_static_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_annotator_static_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- annotator/system
pluginannotator_LTLIBRARIES += plugins/annotator/system.la
plugins_annotator_system_la_SOURCES = plugins/annotator/system.c
plugins_annotator_system_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_annotator_system_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- annotator/process
pluginannotator_LTLIBRARIES += plugins/annotator/process.la
plugins_annotator_process_la_SOURCES = plugins/annotator/process.c $(PLUGIN_PROC)
plugins_annotator_process_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_annotator_process_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- annotator/breadcrumbs
pluginannotator_LTLIBRARIES += plugins/annotator/breadcrumbs.la
plugins_annotator_breadcrumbs_la_SOURCES = plugins/annotator/breadcrumbs.c
plugins_annotator_breadcrumbs_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_annotator_breadcrumbs_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- annotator/container
pluginannotator_LTLIBRARIES += plugins/annotator/container.la
plugins_annotator_container_la_SOURCES = plugins/annotator/container.c $(PLUGIN_FD) $(PLUGIN_PROC)
plugins_annotator_container_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_annotator_container_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- annotator/file
pluginannotator_LTLIBRARIES += plugins/annotator/file.la
plugins_annotator_file_la_SOURCES = plugins/annotator/file.c $(PLUGIN_FD) $(PLUGIN_UTF8)
plugins_annotator_file_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_annotator_file_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- annotator/memory
pluginannotator_LTLIBRARIES += plugins/annotator/memory.la
plugins_annotator_memory_la_SOURCES = plugins/annotator/memory.c $(PLUGIN_FD) $(PLUGIN_PROC)
plugins_annotator_memory_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_annotator_memory_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- annotator/redact
pluginannotator_LTLIBRARIES += plugins/annotator/redact.la
plugins_annotator_redact_la_SOURCES = plugins/annotator/redact/redact.c \
	plugins/annotator/redact/patterns.c plugins/annotator/redact/patterns.h $(PLUGIN_FD)
plugins_annotator_redact_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_annotator_redact_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- writer/minidump
pluginwriter_LTLIBRARIES += plugins/writer/minidump.la
plugins_writer_minidump_la_SOURCES = plugins/writer/minidump/minidump.c \
	plugins/writer/minidump/compress.c plugins/writer/minidump/compress.h \
	plugins/writer/minidump/layout.c plugins/writer/minidump/layout.h \
	plugins/writer/minidump/output.c plugins/writer/minidump/output.h \
	plugins/writer/minidump/reduce.c plugins/writer/minidump/reduce.h \
	plugins/writer/minidump/said.c plugins/writer/minidump/said.h \
	plugins/writer/minidump/sanitize.c plugins/writer/minidump/sanitize.h \
	plugins/writer/minidump/shrink.c plugins/writer/minidump/shrink.h \
	$(PLUGIN_FD)
plugins_writer_minidump_la_CFLAGS = $(PLUGIN_CFLAGS) $(ZSTD_CFLAGS)
plugins_writer_minidump_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_writer_minidump_la_LIBADD = $(ZSTD_LIBS)

# ---- writer/text
pluginwriter_LTLIBRARIES += plugins/writer/text.la
plugins_writer_text_la_SOURCES = plugins/writer/text/text.c \
	plugins/writer/text/page.c plugins/writer/text/page.h $(PLUGIN_UTF8)
plugins_writer_text_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_writer_text_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- writer/json
pluginwriter_LTLIBRARIES += plugins/writer/json.la
plugins_writer_json_la_SOURCES = plugins/writer/json/json.c plugins/writer/json/stack.c \
	plugins/writer/json/emit.c plugins/writer/json/emit.h plugins/writer/json/document.h \
	$(PLUGIN_UTF8)
plugins_writer_json_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_writer_json_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- hook/launch_reporter
pluginhook_LTLIBRARIES += plugins/hook/launch_reporter.la
plugins_hook_launch_reporter_la_SOURCES = plugins/hook/launch_reporter/launch_reporter.c \
	plugins/hook/launch_reporter/records.c plugins/hook/launch_reporter/records.h
plugins_hook_launch_reporter_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_hook_launch_reporter_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- hook/exec
pluginhook_LTLIBRARIES += plugins/hook/exec.la
plugins_hook_exec_la_SOURCES = plugins/hook/exec.c
plugins_hook_exec_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_hook_exec_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- transport/directory
plugintransport_LTLIBRARIES += plugins/transport/directory.la
plugins_transport_directory_la_SOURCES = plugins/transport/directory.c $(PLUGIN_FD)
plugins_transport_directory_la_CFLAGS = $(PLUGIN_CFLAGS)
plugins_transport_directory_la_LDFLAGS = $(PLUGIN_LDFLAGS)

# ---- what transports over HTTP share
TRANSPORT_HTTP = \
	plugins/transport/common/body.c plugins/transport/common/body.h \
	plugins/transport/common/form.c plugins/transport/common/form.h \
	plugins/transport/common/http.c plugins/transport/common/http.h \
	plugins/transport/common/scratch.c plugins/transport/common/scratch.h \
	plugins/transport/common/upload.c plugins/transport/common/upload.h \
	plugins/transport/common/verdict.c plugins/transport/common/verdict.h \
	$(PLUGIN_FD)

# ---- transport/breakpad
plugintransport_LTLIBRARIES += plugins/transport/breakpad.la
plugins_transport_breakpad_la_SOURCES = plugins/transport/breakpad.c $(TRANSPORT_HTTP)
plugins_transport_breakpad_la_CFLAGS = $(PLUGIN_CFLAGS) $(CURL_CFLAGS) $(CJSON_CFLAGS) $(ZSTD_CFLAGS) $(ZLIB_CFLAGS)
plugins_transport_breakpad_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_transport_breakpad_la_LIBADD = $(CURL_LIBS) $(CJSON_LIBS) $(ZSTD_LIBS) $(ZLIB_LIBS)

# ---- transport/backtrace
plugintransport_LTLIBRARIES += plugins/transport/backtrace.la
plugins_transport_backtrace_la_SOURCES = plugins/transport/backtrace.c $(TRANSPORT_HTTP)
plugins_transport_backtrace_la_CFLAGS = $(PLUGIN_CFLAGS) $(CURL_CFLAGS) $(CJSON_CFLAGS) $(ZSTD_CFLAGS) $(ZLIB_CFLAGS)
plugins_transport_backtrace_la_LDFLAGS = $(PLUGIN_LDFLAGS)
plugins_transport_backtrace_la_LIBADD = $(CURL_LIBS) $(CJSON_LIBS) $(ZSTD_LIBS) $(ZLIB_LIBS)

# ---- Plugins are loaded by their .so: the .la files are of no use where they are installed, and
# ---- without them libtool leaves the .so behind on uninstall.
INSTALL_DATA_HOOKS += install-data-plugins
UNINSTALL_HOOKS += uninstall-plugins
.PHONY: install-data-plugins uninstall-plugins

install-data-plugins:
	cd $(DESTDIR)$(pluginfilterdir) && rm -f $(notdir $(pluginfilter_LTLIBRARIES))
	cd $(DESTDIR)$(pluginannotatordir) && rm -f $(notdir $(pluginannotator_LTLIBRARIES))
	cd $(DESTDIR)$(pluginwriterdir) && rm -f $(notdir $(pluginwriter_LTLIBRARIES))
	cd $(DESTDIR)$(pluginhookdir) && rm -f $(notdir $(pluginhook_LTLIBRARIES))
	cd $(DESTDIR)$(plugintransportdir) && rm -f $(notdir $(plugintransport_LTLIBRARIES))

uninstall-plugins:
	cd $(DESTDIR)$(pluginfilterdir) && rm -f $(notdir $(pluginfilter_LTLIBRARIES:.la=.so))
	cd $(DESTDIR)$(pluginannotatordir) && rm -f $(notdir $(pluginannotator_LTLIBRARIES:.la=.so))
	cd $(DESTDIR)$(pluginwriterdir) && rm -f $(notdir $(pluginwriter_LTLIBRARIES:.la=.so))
	cd $(DESTDIR)$(pluginhookdir) && rm -f $(notdir $(pluginhook_LTLIBRARIES:.la=.so))
	cd $(DESTDIR)$(plugintransportdir) && rm -f $(notdir $(plugintransport_LTLIBRARIES:.la=.so))
