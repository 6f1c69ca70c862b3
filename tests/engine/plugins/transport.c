/* SPDX-License-Identifier: Apache-2.0 */
/* A transport that does to every report what it is told to, and says its token aloud when it fails.
 * In a step's process. */
#include "fake.h"

static int send_report(void *context, struct cairn_transport_args *args)
{
    const struct config *config = context;
    struct cairn_value id;
    char line[256];
    const char *word;

    args->host->get(args->host, args->report, "id", &id);
    snprintf(line, sizeof(line), "%s attempt %u", id.string, args->attempt);
    write_log(config, line);
    word = what(config);
    snprintf(args->error, sizeof(args->error), "The server said %s to the token %s.", word,
             config->token != NULL ? config->token : "-");
    if (strcmp(word, "deliver") == 0) {
        args->outcome = CAIRN_DELIVERED;
        args->response_code = 200;
        snprintf(args->server_id, sizeof(args->server_id), "server-%u", args->attempt);
    } else if (strcmp(word, "reject") == 0) {
        args->outcome = CAIRN_REJECTED;
        args->response_code = 403;
    } else if (strcmp(word, "busy") == 0) {
        args->response_code = 429;
        args->retry_after = 7200 * 1000000ull;
    }
    return CAIRN_PLUGIN_OK; /* else, "offline": CAIRN_RETRY without a response */
}

static const struct cairn_transport_ops ops = { .size = sizeof(ops),
                                                .create = create,
                                                .send = send_report };

FAKE_PLUGIN(CAIRN_KIND_TRANSPORT, "fake");
