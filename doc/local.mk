# SPDX-License-Identifier: Apache-2.0
# doc/: man pages and the documents that are installed.

dist_man_MANS += doc/man/cairn.1 doc/man/cairn.3 doc/man/cairn.yaml.5 doc/man/cairn-plugins.7
dist_doc_DATA += LICENSE README.md doc/architecture.md doc/coming-from-breakpad.md doc/configuration.md doc/plugin-guide.md \
	doc/review.md doc/signal-safety.md doc/threat-model.md
