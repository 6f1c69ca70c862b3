# SPDX-License-Identifier: Apache-2.0
# examples/: what an outsider can start from. Not built here: `make installcheck` builds all of it
# against the installation.

examplesdir = $(docdir)/examples
EXAMPLES = \
	examples/embed/embed.c examples/embed/Makefile \
	examples/plugins/filter/thread/thread.c examples/plugins/filter/thread/Makefile \
	examples/plugins/filter/version/version.rs examples/plugins/filter/version/Makefile \
	examples/plugins/annotator/hostname/hostname.c examples/plugins/annotator/hostname/Makefile \
	examples/plugins/writer/csv/csv.c examples/plugins/writer/csv/Makefile \
	examples/plugins/writer/markdown/markdown.cc examples/plugins/writer/markdown/exports.map \
	examples/plugins/writer/markdown/Makefile \
	examples/plugins/hook/touch/touch.c examples/plugins/hook/touch/Makefile \
	examples/plugins/transport/spoolcopy/spoolcopy.c \
	examples/plugins/transport/spoolcopy/Makefile
EXTRA_DIST += $(EXAMPLES)

# With their folders, which automake's own rules for data would flatten or need a variable each for.
INSTALL_DATA_HOOKS += install-examples
install-examples:
	@for file in $(EXAMPLES); do \
		target=$(DESTDIR)$(examplesdir)/$${file#examples/}; \
		$(MKDIR_P) "$${target%/*}" && $(INSTALL_DATA) "$(srcdir)/$$file" "$$target" || exit 1; \
	done
UNINSTALL_HOOKS += uninstall-examples
uninstall-examples:
	rm -rf "$(DESTDIR)$(examplesdir)"
.PHONY: install-examples uninstall-examples
