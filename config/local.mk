# SPDX-License-Identifier: Apache-2.0
# config/: the installed default configuration, its schema, a policy to start from, shell completion.

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
