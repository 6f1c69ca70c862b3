# SPDX-License-Identifier: Apache-2.0
# config/: the installed default configuration, its schema, a policy to start from, shell completion,
# systemd units.

bashcompletion_DATA = config/completions/cairn
EXTRA_DIST += config/completions/cairn

dist_cairnconf_DATA += config/cairn.yaml

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
