/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fuzzes a server's answer: plugins/transport/common/verdict.c. Whatever it says, the outcome is
 * one of the three, texts end, and a token of the URL does not come back in them.
 */
#include "plugins/transport/common/verdict.h"
#include "tests/fuzz/fuzz.h"

#include <stdlib.h>
#include <string.h>

#define TOKEN "7c102b2432f6c57eb879db2008820a88031fefc08d8e7faccabc23a917e7db08"
#define URL   "https://submit.example/acme/" TOKEN "/minidump"

static void log_nothing(const struct cairn_host *host, int level, const char *format, ...)
{
    (void)host, (void)level, (void)format;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    static const struct cairn_host host = { .size = sizeof(host), .log = log_nothing };
    struct cairn_transport_args args = { .size = sizeof(args), .host = &host };
    struct fuzz_input input = { data, bytes };
    struct http_answer answer = { .server = "submit.example:443" };
    struct verdict_manners manners = { .unavailable_hint = " (a hint)" };
    uint8_t flags = fuzz_byte(&input);

    answer.code = (int)(fuzz_number(&input, 2) % 1000);
    manners.text_is_id = (flags & 1) != 0;
    answer.cut = (flags & 2) != 0;
    answer.bytes = input.left < HTTP_MAX_ANSWER ? input.left : HTTP_MAX_ANSWER;
    input.left = answer.bytes;
    answer.body = answer.bytes > 0 ? fuzz_text(input) : NULL;
    verdict_give(&args, &answer, URL, &manners);
    fuzz_require(args.outcome == CAIRN_DELIVERED || args.outcome == CAIRN_RETRY ||
                 args.outcome == CAIRN_REJECTED);
    fuzz_require(memchr(args.error, '\0', sizeof(args.error)) != NULL);
    fuzz_require(memchr(args.server_id, '\0', sizeof(args.server_id)) != NULL);
    fuzz_require(strstr(args.error, TOKEN) == NULL);
    fuzz_require(args.outcome != CAIRN_DELIVERED || answer.code / 100 == 2);
    http_answer_finish(&answer);
    return 0;
}
