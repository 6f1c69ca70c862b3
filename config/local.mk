# SPDX-License-Identifier: Apache-2.0
# config/: the installed default configuration, its schema, a policy to start from, shell completions,
# systemd units.

bashcompletion_DATA = config/completions/cairn
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = config/completions/_cairn
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = config/completions/cairn.fish
EXTRA_DIST += config/completions/cairn

# The administrator's once it is there: an installation leaves a changed one alone, and so does its end.
EXTRA_DIST += config/cairn.yaml
INSTALL_DATA_HOOKS += install-config
UNINSTALL_HOOKS += uninstall-config
install-config:
	@$(MKDIR_P) "$(DESTDIR)$(cairnconfdir)"
	@if test ! -e "$(DESTDIR)$(cairnconfdir)/cairn.yaml"; then \
		$(INSTALL_DATA) "$(srcdir)/config/cairn.yaml" "$(DESTDIR)$(cairnconfdir)/cairn.yaml"; \
	elif ! cmp -s "$(srcdir)/config/cairn.yaml" "$(DESTDIR)$(cairnconfdir)/cairn.yaml"; then \
		echo "$(DESTDIR)$(cairnconfdir)/cairn.yaml is not the one of this version and was left as it is."; \
	fi
uninstall-config:
	@if cmp -s "$(srcdir)/config/cairn.yaml" "$(DESTDIR)$(cairnconfdir)/cairn.yaml"; then \
		rm -f "$(DESTDIR)$(cairnconfdir)/cairn.yaml"; \
	fi
.PHONY: install-config uninstall-config

# For editors: made by "make schema"; tests/engine/layers.sh says when it is stale.
cairndatadir = $(datadir)/cairn
dist_cairndata_DATA = config/cairn.schema.json config/policy.yaml.example
schema: check-local-stage
	CAIRN_PLUGIN_PATH='$(abs_top_builddir)/stage$(pkglibdir)/plugins' \
		'$(abs_top_builddir)/stage$(bindir)/cairn' config --schema >$(srcdir)/config/cairn.schema.json
.PHONY: schema

# The sender as a service, for the machine and for each user; nothing is enabled by an installation.
systemdsystemunit_DATA = config/systemd/cairn-send.service
dist_systemdsystemunit_DATA = config/systemd/cairn-send.timer
systemduserunit_DATA = config/systemd/user/cairn-send.service
dist_systemduserunit_DATA = config/systemd/cairn-send.timer
EXTRA_DIST += config/systemd/cairn-send.service.in config/systemd/cairn-send-user.service.in
config/systemd/cairn-send.service: config/systemd/cairn-send.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) 's|@bindir[@]|$(bindir)|' $(srcdir)/config/systemd/cairn-send.service.in >$@
config/systemd/user/cairn-send.service: config/systemd/cairn-send-user.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) 's|@bindir[@]|$(bindir)|' $(srcdir)/config/systemd/cairn-send-user.service.in >$@
CLEANFILES += config/systemd/cairn-send.service config/systemd/user/cairn-send.service
