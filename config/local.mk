# SPDX-License-Identifier: Apache-2.0
# config/: the installed default configuration, shell completion.

bashcompletion_DATA = config/completions/cairn
EXTRA_DIST += config/completions/cairn

dist_cairnconf_DATA += config/cairn.yaml
