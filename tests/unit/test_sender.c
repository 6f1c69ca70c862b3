/* SPDX-License-Identifier: Apache-2.0 */
/* The sender's rules: how long to wait, when to give up, what must not be told. */
#include "core/sender/retry.h"
#include "core/sender/sender.h"
#include "tests/unit/tap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US 1000000ull
#define HOUR_US   (3600 * SECOND_US)
#define SECOND_NS 1000000000ull

static const uint64_t now_ns = 1800000000ull * SECOND_NS;

static void test_delay(void)
{
    for (unsigned attempts = 0; attempts < 70; attempts++) {
        for (uint64_t random = 1; random != 0; random <<= 7) {
            uint64_t delay_us = retry_delay_us(attempts, 0, random);

            CU_ASSERT_TRUE(delay_us >= SECOND_US && delay_us <= HOUR_US);
        }
    }
    CU_ASSERT_EQUAL(retry_delay_us(1, 0, 30 * SECOND_US), 30 * SECOND_US);
    CU_ASSERT_EQUAL(retry_delay_us(2, 0, 60 * SECOND_US), 60 * SECOND_US);
    CU_ASSERT_EQUAL(retry_delay_us(8, 0, HOUR_US), HOUR_US);
    CU_ASSERT_EQUAL(retry_delay_us(1, 0, 0), SECOND_US);
}

static void test_retry_after(void)
{
    CU_ASSERT_EQUAL(retry_delay_us(1, 2 * HOUR_US, 0), 2 * HOUR_US);
    CU_ASSERT_EQUAL(retry_delay_us(1, 1000 * HOUR_US, 0), 24 * HOUR_US);
    CU_ASSERT_EQUAL(retry_delay_us(1, 1, 0), SECOND_US);
    CU_ASSERT_EQUAL(retry_delay_us(1, 5 * SECOND_US, 30 * SECOND_US), 30 * SECOND_US);
}

static void test_due(void)
{
    struct report_delivery delivery = { .next_ns = 0 };

    CU_ASSERT_TRUE(retry_is_due(&delivery, now_ns));
    delivery.next_ns = now_ns + SECOND_NS;
    CU_ASSERT_FALSE(retry_is_due(&delivery, now_ns));
    delivery.next_ns = now_ns + 48 * 3600 * SECOND_NS; /* the clock was set back */
    CU_ASSERT_TRUE(retry_is_due(&delivery, now_ns));
}

static void test_outcomes(void)
{
    struct report_delivery delivery = { .attempts = 1 };
    struct step_result result = { .status = STEP_OK, .outcome = CAIRN_RETRY, .response_code = 503 };

    CU_ASSERT_EQUAL(retry_apply(&delivery, &result, "Busy.", now_ns, now_ns, SECOND_US), 0);
    CU_ASSERT_EQUAL(delivery.state, REPORT_PENDING);
    CU_ASSERT_EQUAL(delivery.next_ns, now_ns + SECOND_NS);
    CU_ASSERT_STRING_EQUAL(delivery.error, "Busy.");
    CU_ASSERT_EQUAL(delivery.response_code, 503);

    result.outcome = CAIRN_DELIVERED;
    snprintf(result.server_id, sizeof(result.server_id), "abc");
    CU_ASSERT_EQUAL(retry_apply(&delivery, &result, "", now_ns, now_ns, 0), 0);
    CU_ASSERT_EQUAL(delivery.state, REPORT_DELIVERED);
    CU_ASSERT_EQUAL(delivery.next_ns, 0);
    CU_ASSERT_PTR_NULL(delivery.error);
    CU_ASSERT_STRING_EQUAL(delivery.server_id, "abc");

    result.outcome = CAIRN_REJECTED;
    CU_ASSERT_EQUAL(retry_apply(&delivery, &result, "", now_ns, now_ns, 0), 0);
    CU_ASSERT_EQUAL(delivery.state, REPORT_REJECTED);
    CU_ASSERT_PTR_NOT_NULL(delivery.error);
    free(delivery.error);
    free(delivery.server_id);
}

/* A plugin that crashed after it had said "delivered" has not delivered. */
static void test_broken_steps(void)
{
    static const enum step_status broken[] = { STEP_FAILED,  STEP_CRASHED,  STEP_EXITED,
                                               STEP_TIMEOUT, STEP_OVERFLOW, STEP_BROKEN };

    for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
        struct report_delivery delivery = { .attempts = 1 };
        struct step_result result = { .status = broken[i], .outcome = CAIRN_DELIVERED };

        retry_apply(&delivery, &result, "It broke.", now_ns, now_ns, 0);
        CU_ASSERT_EQUAL(delivery.state, REPORT_PENDING);
        free(delivery.error);
    }
}

static void test_giving_up(void)
{
    struct step_result result = { .status = STEP_OK, .outcome = CAIRN_RETRY };
    struct report_delivery last = { .attempts = RETRY_MAX_ATTEMPTS }, old = { .attempts = 2 };

    retry_apply(&last, &result, "Busy.", now_ns, now_ns, 0);
    CU_ASSERT_EQUAL(last.state, REPORT_REJECTED);
    CU_ASSERT_STRING_EQUAL(last.error, "Given up after 10 attempts: Busy.");
    retry_apply(&old, &result, "Busy.", now_ns - RETRY_MAX_AGE_NS, now_ns, 0);
    CU_ASSERT_EQUAL(old.state, REPORT_PENDING);
    retry_apply(&old, &result, "Busy.", now_ns - RETRY_MAX_AGE_NS - 1, now_ns, 0);
    CU_ASSERT_EQUAL(old.state, REPORT_REJECTED);
    free(last.error);
    free(old.error);
}

static void test_born(void)
{
    struct report report = { .id = "01a21466-0dc0-7e94-a4b0-49f8b179ccef", .time_ns = 5 };

    CU_ASSERT_EQUAL(retry_born_ns(&report), 0x01a214660dc0ull * 1000000);
    report.id[14] = '4'; /* another version has no time */
    CU_ASSERT_EQUAL(retry_born_ns(&report), 5);
}

static void test_offline(void)
{
    struct step_result result = { .status = STEP_OK, .outcome = CAIRN_RETRY };

    CU_ASSERT_TRUE(retry_is_offline(&result));
    result.response_code = 503;
    CU_ASSERT_FALSE(retry_is_offline(&result));
    result = (struct step_result){ .status = STEP_TIMEOUT };
    CU_ASSERT_TRUE(retry_is_offline(&result));
    result = (struct step_result){ .status = STEP_CRASHED };
    CU_ASSERT_FALSE(retry_is_offline(&result));
    result = (struct step_result){ .status = STEP_OK, .outcome = CAIRN_REJECTED };
    CU_ASSERT_FALSE(retry_is_offline(&result));
}

/* ---- Secrets ---- */

struct options {
    const char *token;
    const char *url;
    struct cairn_list headers;
};

static const struct cairn_option table[] = {
    { .name = "token", .type = CAIRN_OPTION_SECRET, .offset = offsetof(struct options, token) },
    { .name = "url", .type = CAIRN_OPTION_URL, .offset = offsetof(struct options, url) },
    { .name = "headers",
      .type = CAIRN_OPTION_SECRET,
      .flags = CAIRN_OPTION_LIST,
      .offset = offsetof(struct options, headers) },
    { .name = NULL },
};

static void test_scrub(void)
{
    static const char *const headers[] = { "X-Key: 77777" };
    struct options values = {
        "5ec7e7",
        "https://me:pass@host.example/acme/0123456789abcdef/post?key=k1k2k3k4k5",
        { 1, headers }
    };
    struct config_instance instance = { .table = table, .options = &values };
    char text[512], small[16];

    config_scrub(&instance, "5ec7e7 was refused, and 5ec7e7 again.", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "(hidden) was refused, and (hidden) again.");
    config_scrub(&instance, values.url, text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "https://(hidden)@host.example/(hidden)");
    config_scrub(&instance, "key k1k2k3k4k5 and path 0123456789abcdef", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "key (hidden) and path (hidden)");
    config_scrub(&instance, "sent X-Key: 77777", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "sent (hidden)");
    config_scrub(&instance, "the answer 5ec7e7", small, sizeof(small));
    CU_ASSERT_PTR_NULL(strstr(small, "5ec7"));
    values.url = "https://host.example/0123456789abcdef/minidump";
    config_scrub(&instance, "0123456789abcdef has a minidump.", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "(hidden) has a minidump.");
    values = (struct options){ NULL, NULL, { 0, NULL } };
    config_scrub(&instance, "Nothing to hide.", text, sizeof(text));
    CU_ASSERT_STRING_EQUAL(text, "Nothing to hide.");
}

static const struct tap_test tests[] = {
    { "delays grow, with jitter, to an hour", test_delay },
    { "a server's wish is a floor", test_retry_after },
    { "what is due", test_due },
    { "outcomes", test_outcomes },
    { "a broken step is tried again", test_broken_steps },
    { "giving up", test_giving_up },
    { "when a report was made", test_born },
    { "what counts as offline", test_offline },
    { "no secret in an error", test_scrub },
    { NULL, NULL },
};

int main(void)
{
    return tap_run("sender", tests);
}
