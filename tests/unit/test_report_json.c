/* SPDX-License-Identifier: Apache-2.0 */
/*
 * report.json: there and back again, numbers that JSON does not have, the largest report, and what
 * hostile text cannot do.
 */
#include "core/report/report.h"
#include "tests/unit/tap.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "0193c1de-0000-7000-8000-000000000001"

static struct cairn_value text_value(const char *text)
{
    return (struct cairn_value){ .type = CAIRN_VALUE_STRING, .string = text };
}

static struct cairn_value integer_value(int64_t number)
{
    return (struct cairn_value){ .type = CAIRN_VALUE_INTEGER, .integer = number };
}

static struct cairn_value double_value(double number)
{
    return (struct cairn_value){ .type = CAIRN_VALUE_DOUBLE, .number = number };
}

static struct report *made(void)
{
    struct report *report = report_create();

    CU_ASSERT_PTR_NOT_NULL_FATAL(report);
    return report;
}

static void fill_crash(struct report *report)
{
    strcpy(report->id, ID);
    report_text(&report->application, "shop");
    report->time_ns = 1764100000123456000u;
    report->tier = 2;
    report_text(&report->tier_reason, "The monitor was late.");
    report->signal = SIGSEGV;
    report->si_code = SEGV_MAPERR;
    report->address = 0xffffffffdeadbeefu;
    report->has_address = true;
    report->pid = 100;
    report->tid = 101;
    report_text(&report->thread, "worker");
    report_text(&report->reason, "access to an address that is not mapped");
    report_text(&report->executable, "/opt/shop/bin");
    report_text(&report->user, "nobody");
    report_text(&report->pipeline, "default");
}

static void fill_lists(struct report *report)
{
    struct report_frame frame = { .address = 0x401234,
                                  .module_offset = 0x1234,
                                  .symbol_offset = 4,
                                  .module = (char *)"bin",
                                  .build_id = (char *)"a0a1",
                                  .symbol = (char *)"pay",
                                  .trust = "context" };
    struct report_frame bare = { .address = 0x10, .trust = "scan" };
    struct report_delivery *delivery;

    CU_ASSERT_EQUAL(report_add_frame(report, &frame), 0);
    CU_ASSERT_EQUAL(report_add_frame(report, &bare), 0);
    CU_ASSERT_EQUAL(report_add_register(report, "rip", 0x401234), 0);
    CU_ASSERT_EQUAL(report_add_breadcrumb(report, 1764100000000000000u, "net", "tab\there"), 0);
    CU_ASSERT_EQUAL(report_add_artifact(report, "dump.dmp", "application/x-dmp", 4096,
                                        "e3b0c44298fc1c149afbf4c8996fb924"
                                        "27ae41e4649b934ca495991b7852b855"),
                    0);
    CU_ASSERT_EQUAL(report_note(report, "Something is missing."), 0);
    CU_ASSERT_EQUAL(report_timing(report, "stopped", 1500), 0);
    delivery = report_add_delivery(report, "upload");
    CU_ASSERT_PTR_NOT_NULL_FATAL(delivery);
    delivery->state = REPORT_PENDING;
    delivery->attempts = 2;
    delivery->next_ns = 1764100060000000000u;
    delivery->last_ns = 1764100000000000000u;
    delivery->response_code = 503;
    report_text(&delivery->error, "The server answered 503.");
    report_text(&report_add_delivery(report, "disk")->server_id, "abc");
    report_add_delivery(report, "disk")->state = REPORT_DELIVERED;
}

static void fill_attributes(struct report *report)
{
    static const struct {
        const char *name;
        double number;
    } doubles[] = { { "d.tenth", 0.1 }, { "d.large", 1e300 }, { "d.third", 1.0 / 3 } };
    struct cairn_value values[] = { text_value("payments"),
                                    integer_value(-9007199254740992),
                                    integer_value(1000000000000000),
                                    { .type = CAIRN_VALUE_UINT64, .uint64 = UINT64_MAX },
                                    { .type = CAIRN_VALUE_BOOL, .boolean = 1 } };
    char name[8];

    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(name, sizeof(name), "v.%zu", i);
        CU_ASSERT_EQUAL(report_set(report, name, &values[i]), 0);
    }
    for (size_t i = 0; i < sizeof(doubles) / sizeof(doubles[0]); i++) {
        struct cairn_value value = double_value(doubles[i].number);

        CU_ASSERT_EQUAL(report_set(report, doubles[i].name, &value), 0);
    }
}

static bool has(const char *json, const char *part)
{
    bool found = strstr(json, part) != NULL;

    if (!found) {
        fprintf(stderr, "# missing: %s\n", part);
    }
    return found;
}

static void test_json(void)
{
    struct report *report = made(), *again = NULL;
    struct error error = { 0 };
    char *json, *second;

    fill_crash(report);
    fill_lists(report);
    fill_attributes(report);
    CU_ASSERT_EQUAL(report_sign(report), 0);
    json = report_to_json(report);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    CU_ASSERT_TRUE(has(json, "\"application\": {\"name\": \"shop\", \"version\": null}"));
    CU_ASSERT_TRUE(has(json, "\"time\": \"2025-11-25T19:46:40.123456Z\""));
    CU_ASSERT_TRUE(has(json, "\"signal\": \"SIGSEGV\""));
    CU_ASSERT_TRUE(has(json, "\"code\": \"SEGV_MAPERR\""));
    CU_ASSERT_TRUE(has(json, "\"address\": \"0xffffffffdeadbeef\""));
    CU_ASSERT_TRUE(has(json, "\"message\": null"));
    CU_ASSERT_TRUE(has(json, "\"v.2\": 1000000000000000"));
    CU_ASSERT_TRUE(has(json, "\"v.3\": \"0xffffffffffffffff\""));
    CU_ASSERT_TRUE(has(json, "\"v.4\": true"));
    CU_ASSERT_TRUE(has(json, "\"d.tenth\": 0.1"));
    CU_ASSERT_TRUE(has(json, "{\"index\": 1, \"address\": \"0x10\", \"trust\": \"scan\"}"));
    CU_ASSERT_TRUE(has(json, "\"stopped_us\": 1500"));
    CU_ASSERT_TRUE(has(json, "\"tab\\there\""));
    CU_ASSERT_EQUAL_FATAL(report_from_json(json, strlen(json), &again, &error), 0);
    second = report_to_json(again);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    CU_ASSERT_STRING_EQUAL(json, second);
    CU_ASSERT_EQUAL(again->si_code, SEGV_MAPERR);
    CU_ASSERT_EQUAL(report_attribute(again, "v.3")->uint64, UINT64_MAX);
    CU_ASSERT_EQUAL(report_attribute(again, "v.1")->integer, -9007199254740992);
    CU_ASSERT_EQUAL(report_attribute(again, "d.third")->number, 1.0 / 3);
    CU_ASSERT_EQUAL(again->deliveries[0].next_ns, 1764100060000000000u);
    free(json);
    free(second);
    report_destroy(report);
    report_destroy(again);
}

static void test_json_numbers(void)
{
    struct report *report = made(), *again = NULL;
    struct cairn_value values[] = { integer_value(INT64_MIN), double_value(NAN),
                                    double_value(-INFINITY), double_value(3) };
    char name[8];
    char *json;

    fill_crash(report);
    report->signal = 34;
    report->si_code = -99;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        snprintf(name, sizeof(name), "v.%zu", i);
        CU_ASSERT_EQUAL(report_set(report, name, &values[i]), 0);
    }
    json = report_to_json(report);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    CU_ASSERT_TRUE(has(json, "\"v.0\": \"-9223372036854775808\""));
    CU_ASSERT_TRUE(has(json, "\"v.1\": \"NaN\""));
    CU_ASSERT_TRUE(has(json, "\"v.2\": \"-Infinity\""));
    CU_ASSERT_TRUE(has(json, "\"v.3\": 3.0"));
    CU_ASSERT_TRUE(has(json, "\"signal\": \"SIG34\""));
    CU_ASSERT_TRUE(has(json, "\"code\": \"-99\""));
    CU_ASSERT_EQUAL_FATAL(report_from_json(json, strlen(json), &again, NULL), 0);
    CU_ASSERT_EQUAL(again->signal, 34);
    CU_ASSERT_EQUAL(again->si_code, -99);
    CU_ASSERT_EQUAL(report_attribute(again, "v.3")->type, CAIRN_VALUE_INTEGER);
    free(json);
    report_destroy(report);
    report_destroy(again);
}

#define HEAD "{\"id\":\"" ID "\",\"kind\":\"crash\",\"time\":\"2025-11-25T19:46:40Z\""

static void test_json_hostile(void)
{
    static const struct {
        const char *text, *words;
    } wrong[] = {
        { "", "not JSON" },
        { "[]", "an object" },
        { "{}", "id is not" },
        { HEAD "} x", "not JSON" },
        { HEAD ",\"crash\":[]}", "crash is not an object" },
        { HEAD ",\"crash\":{\"pid\":-1}}", "crash.pid is not an integer" },
        { HEAD ",\"crash\":{\"pid\":1.5}}", "crash.pid" },
        { HEAD ",\"crash\":{\"pid\":1e99}}", "crash.pid" },
        { HEAD ",\"crash\":{\"address\":1}}", "crash.address" },
        { HEAD ",\"crash\":{\"address\":\"0x11111111111111111\"}}", "crash.address" },
        { HEAD ",\"crash\":{\"signal\":\"SIGNOTHING\"}}", "crash.signal" },
        { HEAD ",\"tier\":9}", "tier" },
        { HEAD ",\"application\":{\"name\":{}}}", "application.name" },
        { HEAD ",\"frames\":{}}", "frames is not an array" },
        { HEAD ",\"frames\":[{},1]}", "frames[1]" },
        { HEAD ",\"frames\":[{\"symbol\":1}]}", "frames[0].symbol" },
        { HEAD ",\"attributes\":{\"a b\":1}}", "attributes.*" },
        { HEAD ",\"attributes\":{\"a\":[1]}}", "attributes.*" },
        { HEAD ",\"notes\":[1]}", "notes[0]" },
        { HEAD ",\"artifacts\":[{\"name\":\"../x\",\"media_type\":\"\",\"sha256\":\"\"}]}",
          "artifacts[0].name" },
        { HEAD ",\"deliveries\":[{\"transport\":\"x\",\"state\":\"lost\"}]}",
          "deliveries[0].state" },
        { HEAD ",\"timings\":{\"x_us\":\"1\"}}", "timings.*" },
        { HEAD ",\"x\":[[[[[[[[[[]]]]]]]]]]}", "too deep" },
        { "{\"id\":\"../../etc\",\"kind\":\"crash\"}", "id is not a UUID" },
        { "{\"id\":\"" ID "\",\"kind\":\"oops\"}", "kind is not" },
        { "{\"id\":\"" ID "\",\"kind\":\"crash\"}", "time" },
    };

    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct report *report = NULL;
        struct error error = { 0 };

        CU_ASSERT_EQUAL(report_from_json(wrong[i].text, strlen(wrong[i].text), &report, &error),
                        CAIRN_EFORMAT);
        CU_ASSERT_PTR_NULL(report);
        CU_ASSERT_TRUE(has(error.text, wrong[i].words));
    }
}

static void test_json_lenient(void)
{
    static const char text[] = HEAD ",\"future\":{\"x\":[1,2]},\"crash\":{\"signal\":null},"
                                    "\"registers\":{\"zmm99\":\"0x1\",\"rax\":\"0x2\"},"
                                    "\"notes\":[\"a\\u0000b\",\"\xff\"]}\n";
    struct report *report = NULL;
    struct error error = { 0 };

    CU_ASSERT_EQUAL_FATAL(report_from_json(text, sizeof(text) - 1, &report, &error), 0);
    CU_ASSERT_STRING_EQUAL(report->application, "unknown");
    CU_ASSERT_EQUAL(report->register_count, 1);
    CU_ASSERT_EQUAL(report->signal, 0);
    CU_ASSERT_FALSE(report->has_address);
    CU_ASSERT_STRING_EQUAL(report->notes[1], "\xef\xbf\xbd");
    report_destroy(report);
}

/* Every prefix of a report and many mutations: refused or read, never worse. */
static void test_json_mutations(void)
{
    struct report *report = made(), *again;
    uint32_t state = 20251125;
    size_t bytes, read = 0;
    char *json, *copy;

    fill_crash(report);
    fill_lists(report);
    fill_attributes(report);
    json = report_to_json(report);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    bytes = strlen(json);
    for (size_t i = 0; i < bytes; i++) {
        CU_ASSERT_EQUAL(report_from_json(json, i, &again, NULL), CAIRN_EFORMAT);
    }
    copy = malloc(bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    for (int i = 0; i < 5000; i++) {
        memcpy(copy, json, bytes);
        for (int j = 0; j < 3; j++) {
            state = state * 1664525u + 1013904223u;
            copy[(state >> 8) % bytes] = "\"{}[]:,0x\\ \xff"[(state >> 4) % 12];
        }
        if (report_from_json(copy, bytes, &again, NULL) == 0) {
            report_destroy(again);
            read++;
        }
    }
    CU_ASSERT(read > 0);
    free(copy);
    free(json);
    report_destroy(report);
}

static void fill_to_the_brim(struct report *report, char *large)
{
    struct cairn_value value = text_value(large);
    struct report_frame frame = { .module = large, .build_id = large, .symbol = large };
    struct report_delivery *delivery;
    char name[16];

    for (int i = 0; i < 1024; i++) {
        snprintf(name, sizeof(name), "\\%d", i);
        report_note(report, "%d%s", i, large);
        report_add_frame(report, &frame);
        report_add_breadcrumb(report, 1, large, large);
        delivery = report_add_delivery(report, name);
        if (delivery != NULL) {
            report_text(&delivery->error, large);
            report_text(&delivery->server_id, large);
        }
        name[0] = 'a';
        report_set(report, name, &value);
        report_add_artifact(report, name, large, 1, "");
        report_timing(report, name, 1);
    }
    report_text(&report->application, large);
    report_text(&report->message, large);
    report_text(&report->executable, large);
}

/* The largest report that the caps allow, of characters that JSON writes as two. */
static void test_largest(void)
{
    struct report *report = made(), *again = NULL;
    char *large = malloc(REPORT_MAX_ATTRIBUTE_BYTES + 1), *json;

    CU_ASSERT_PTR_NOT_NULL_FATAL(large);
    memset(large, '\\', REPORT_MAX_ATTRIBUTE_BYTES);
    large[REPORT_MAX_ATTRIBUTE_BYTES] = '\0';
    strcpy(report->id, ID);
    fill_to_the_brim(report, large);
    json = report_to_json(report);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    CU_ASSERT(strlen(json) > REPORT_JSON_LIMIT / 4 * 3);
    CU_ASSERT_EQUAL_FATAL(report_from_json(json, strlen(json), &again, NULL), 0);
    CU_ASSERT_EQUAL(again->frame_count, REPORT_MAX_FRAMES);
    CU_ASSERT_EQUAL(again->delivery_count, REPORT_MAX_DELIVERIES);
    free(json);
    free(large);
    report_destroy(report);
    report_destroy(again);
}

int main(void)
{
    static const struct tap_test tests[] = {
        { "there and back", test_json },
        { "numbers that JSON does not have", test_json_numbers },
        { "wrong texts are refused by key", test_json_hostile },
        { "unknown keys are not", test_json_lenient },
        { "prefixes and mutations", test_json_mutations },
        { "the largest report", test_largest },
        { NULL, NULL },
    };

    return tap_run("report.json", tests);
}
