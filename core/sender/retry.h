/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What becomes of a delivery after an attempt: delivered, rejected, or tried again later. Nothing
 * but arithmetic: no clock, no files. [sender]
 */
#ifndef CAIRN_CORE_SENDER_RETRY_H
#define CAIRN_CORE_SENDER_RETRY_H

#include "core/plugin/step.h"
#include "core/report/report.h"

#include <stdbool.h>
#include <stdint.h>

#define RETRY_MAX_ATTEMPTS 10
#define RETRY_MAX_AGE_NS   (7ull * 24 * 3600 * 1000000000)

/* Microseconds to wait after the attempts-th attempt (from 1): exponential from 30 s to 1 h with
 * full jitter by `random`, not less than the server's wish, which is believed between 1 s and 24 h.
 */
uint64_t retry_delay_us(unsigned attempts, uint64_t retry_after_us, uint64_t random);

/* True when the delivery is to be tried at `now_ns`. A next attempt further away than any that this
 * program plans means that the clock was set back. */
bool retry_is_due(const struct report_delivery *delivery, uint64_t now_ns);

/* When the report was made: its id tells, where it is one of version 7; else the crash's time. */
uint64_t retry_born_ns(const struct report *report);

/* Writes the outcome of an attempt into the delivery; `error` is what the transport said, free of
 * secrets. CAIRN_ENOMEM when the texts do not fit into memory: the state is right all the same. */
int retry_apply(struct report_delivery *delivery, const struct step_result *result,
                const char *error, uint64_t born_ns, uint64_t now_ns, uint64_t random);

/* The transport did not reach its server: other reports need not try now. */
bool retry_is_offline(const struct step_result *result);

#endif
