/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of retrying; see retry.h. [sender] */
#include "core/sender/retry.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US  1000000ull
#define BASE_US    (30 * SECOND_US)
#define CEILING_US (3600 * SECOND_US)
#define LONGEST_US (24 * 3600 * SECOND_US)

uint64_t retry_delay_us(unsigned attempts, uint64_t retry_after_us, uint64_t random)
{
    unsigned doublings = attempts > 0 ? attempts - 1 : 0;
    uint64_t span_us = doublings < 8 ? BASE_US << doublings : CEILING_US, delay_us;

    if (span_us > CEILING_US) {
        span_us = CEILING_US;
    }
    delay_us = random % (span_us + 1);
    if (delay_us < SECOND_US) {
        delay_us = SECOND_US;
    }
    if (retry_after_us > LONGEST_US) {
        retry_after_us = LONGEST_US;
    }
    return delay_us < retry_after_us ? retry_after_us : delay_us;
}

bool retry_is_due(const struct report_delivery *delivery, uint64_t now_ns)
{
    return delivery->next_ns <= now_ns || delivery->next_ns - now_ns > LONGEST_US * 1000;
}

uint64_t retry_born_ns(const struct report *report)
{
    unsigned high, low;

    /* The first 48 bits of a version 7 UUID are milliseconds since 1970. */
    if (strlen(report->id) == 36 && report->id[14] == '7' &&
        sscanf(report->id, "%8x-%4x", &high, &low) == 2) {
        return (((uint64_t)high << 16) | low) * 1000000;
    }
    return report->time_ns;
}

bool retry_is_offline(const struct step_result *result)
{
    bool answered = result->status == STEP_OK && result->outcome != CAIRN_RETRY;

    return !answered && result->response_code == 0 &&
           (result->status == STEP_OK || result->status == STEP_FAILED ||
            result->status == STEP_TIMEOUT);
}

static bool is_final(const struct step_result *result)
{
    return result->status == STEP_UNSUPPORTED ||
           (result->status == STEP_OK && result->outcome == CAIRN_REJECTED);
}

static int give_up(struct report_delivery *delivery, const char *error)
{
    char *text;
    int result;

    if (asprintf(&text, "Given up after %u attempts: %s", delivery->attempts, error) < 0) {
        return CAIRN_ENOMEM;
    }
    result = report_text(&delivery->error, text);
    free(text);
    return result;
}

int retry_apply(struct report_delivery *delivery, const struct step_result *result,
                const char *error, uint64_t born_ns, uint64_t now_ns, uint64_t random)
{
    bool old = born_ns < now_ns && now_ns - born_ns > RETRY_MAX_AGE_NS;

    delivery->response_code = result->response_code;
    delivery->next_ns = 0;
    if (result->status == STEP_OK && result->outcome == CAIRN_DELIVERED) {
        delivery->state = REPORT_DELIVERED;
        report_text(&delivery->error, NULL);
        return report_text(&delivery->server_id,
                           result->server_id[0] != '\0' ? result->server_id : NULL);
    }
    if (error[0] == '\0') {
        error = result->status == STEP_UNSUPPORTED ? "The transport has nothing to send of it."
                                                   : "The transport did not say why.";
    }
    if (is_final(result)) {
        delivery->state = REPORT_REJECTED;
        return report_text(&delivery->error, error);
    }
    if (delivery->attempts >= RETRY_MAX_ATTEMPTS || old) {
        delivery->state = REPORT_REJECTED;
        return give_up(delivery, error);
    }
    delivery->state = REPORT_PENDING;
    delivery->next_ns =
        now_ns + retry_delay_us(delivery->attempts, result->retry_after_us, random) * 1000;
    return report_text(&delivery->error, error);
}
