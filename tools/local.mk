# SPDX-License-Identifier: Apache-2.0
# tools/: the `cairn` command, one file per subcommand.

bin_PROGRAMS += cairn
cairn_SOURCES = \
	tools/cairn.c tools/options.c tools/options.h tools/tool.c tools/tool.h \
	tools/run.c tools/executable.c tools/executable.h \
	tools/check.c tools/config.c tools/consent.c tools/list.c tools/send.c tools/dump.c tools/process.c \
	tools/plugin.c tools/plugin_doc.c tools/plugin_doc.h tools/plugin_tools.h \
	tools/plugin_lint.c tools/plugin_lint.h tools/plugin_lint_options.c tools/plugin_lint_steps.c \
	tools/plugin_new.c tools/plugin_run.c tools/plugin_template.h \
	tools/show.c tools/show_sent.c tools/show_sent.h tools/show_sent_print.c tools/show_text.c tools/show_text.h \
	tools/doctor.c tools/doctor.h tools/doctor_crash.c tools/doctor_kernel.c tools/doctor_setup.c
nodist_cairn_SOURCES = tools/plugin_template.c
PLUGIN_TEMPLATES = tools/template/filter.c tools/template/annotator.c tools/template/writer.c \
	tools/template/hook.c tools/template/transport.c tools/template/Makefile \
	tools/template/README.md tools/template/test.sh
tools/plugin_template.c: tools/template/embed.awk $(PLUGIN_TEMPLATES)
	$(AM_V_GEN)$(MKDIR_P) $(@D) && (cd $(srcdir) && $(AWK) -f tools/template/embed.awk $(PLUGIN_TEMPLATES)) >$@.tmp && \
		mv $@.tmp $@
CLEANFILES += tools/plugin_template.c
EXTRA_DIST += tools/template/embed.awk $(PLUGIN_TEMPLATES)
cairn_LDADD = libcairn-plugin.la libcairn-config.la libcairn-report.la libcairn-minidump.la \
	libcairn-util.la
