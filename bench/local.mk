# SPDX-License-Identifier: Apache-2.0
# bench/: built and run by `make bench` only, over the staged installation. BENCH_FLAGS are run.py's:
# make bench BENCH_FLAGS='--quick --subject NAME=COMMAND'

BENCH_BUILT = bench/victim bench/victim-cairn bench/limit bench/trial bench/micro bench/micro-bare
EXTRA_PROGRAMS += $(BENCH_BUILT)
CLEANFILES += $(BENCH_BUILT) bench/module.so
EXTRA_DIST += bench/README.md bench/module.c bench/quiet.py bench/run.py bench/table.py

BENCH_CFLAGS = $(AM_CFLAGS) -O2
bench_victim_SOURCES = bench/victim.c bench/shared.h
bench_victim_CFLAGS = $(BENCH_CFLAGS) -pthread
bench_victim_LDFLAGS = $(AM_LDFLAGS) -pthread
bench_victim_LDADD = -ldl
bench_victim_cairn_SOURCES = bench/victim.c bench/shared.h
bench_victim_cairn_CPPFLAGS = $(AM_CPPFLAGS) -DBENCH_CAIRN
bench_victim_cairn_CFLAGS = $(BENCH_CFLAGS) -pthread
bench_victim_cairn_LDFLAGS = $(AM_LDFLAGS) -pthread -no-install
bench_victim_cairn_LDADD = libcairn.la -ldl
bench_limit_SOURCES = bench/limit.c bench/shared.h
bench_limit_CFLAGS = $(BENCH_CFLAGS)
bench_trial_SOURCES = bench/trial.c bench/shared.h
bench_trial_CFLAGS = $(BENCH_CFLAGS)
bench_micro_SOURCES = bench/micro.c
bench_micro_CPPFLAGS = $(AM_CPPFLAGS) -DBENCH_CAIRN
bench_micro_CFLAGS = $(BENCH_CFLAGS)
bench_micro_LDFLAGS = $(AM_LDFLAGS) -no-install
bench_micro_LDADD = libcairn.la
bench_micro_bare_SOURCES = bench/micro.c
bench_micro_bare_CFLAGS = $(BENCH_CFLAGS)

bench/module.so: bench/module.c
	$(AM_V_CC)$(MKDIR_P) bench && $(CC) -shared -fPIC -nostdlib -O2 -o $@ $(top_srcdir)/bench/module.c

bench: check-local-stage $(BENCH_BUILT) bench/module.so
	python3 -B $(top_srcdir)/bench/run.py --programs bench --stage stage$(prefix) \
		--library stage$(libdir)/libcairn.so --output bench/results $(BENCH_FLAGS)
CLEAN_LOCALS += clean-bench
clean-bench:
	rm -rf bench/results
.PHONY: bench clean-bench
