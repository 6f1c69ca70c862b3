# SPDX-License-Identifier: Apache-2.0
# tools/: the `cairn` command, one file per subcommand.

bin_PROGRAMS += cairn
cairn_SOURCES = \
	tools/cairn.c tools/options.c tools/options.h tools/tool.c tools/tool.h \
	tools/run.c tools/executable.c tools/executable.h \
	tools/check.c tools/list.c tools/send.c tools/dump.c tools/process.c tools/plugin.c \
	tools/plugin_doc.c tools/plugin_doc.h \
	tools/show.c tools/show_text.c tools/show_text.h
cairn_LDADD = libcairn-plugin.la libcairn-config.la libcairn-report.la libcairn-minidump.la \
	libcairn-util.la
