/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Uses the optional services: counts its calls in its state file, replaces texts, and tells what
 * the host refused. In a step's process.
 */
#define NAME "keeper"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/plugins/annotator.h"

CAIRN_PLUGIN_NOTE(CAIRN_KIND_ANNOTATOR, "keeper");

static int count_calls(const struct cairn_host *host)
{
    const struct cairn_state_service *state = host->service(host, CAIRN_SERVICE_STATE);
    int fd = state != NULL ? state->open(host) : -1;
    char text[32] = "";

    if (fd < 0) {
        return host->fail(host, "There is no state.");
    }
    if (read(fd, text, sizeof(text) - 1) < 0) {
        return host->fail(host, "The state cannot be read.");
    }
    host->set_integer(host, "calls", strtol(text, NULL, 10) + 1);
    host->set_bool(host, "inherited", (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0);
    snprintf(text, sizeof(text), "%ld", strtol(text, NULL, 10) + 1);
    if (pwrite(fd, text, strlen(text), 0) < 0) {
        return host->fail(host, "The state cannot be written.");
    }
    return CAIRN_PLUGIN_OK;
}

static int replace_texts(const struct cairn_host *host)
{
    const struct cairn_texts_service *texts = host->service(host, CAIRN_SERVICE_TEXTS);
    static char large[CAIRN_TEXTS_MAX_BYTES + 2];

    if (texts == NULL) {
        return host->fail(host, "There are no texts.");
    }
    memset(large, 'x', sizeof(large) - 1);
    texts->set_message(host, "first");
    texts->set_message(host, "a \x01 message");
    texts->set_breadcrumb(host, 1, "a breadcrumb");
    host->set_bool(host, "refused",
                   texts->set_message(host, NULL) != 0 && texts->set_message(host, large) != 0 &&
                       texts->set_breadcrumb(host, 2, "none") != 0 &&
                       host->service(host, "cairn.nothing/1") == NULL &&
                       host->service(host, NULL) == NULL);
    return CAIRN_PLUGIN_OK;
}

static int annotate(void *context, struct cairn_annotator_args *args)
{
    (void)context;
    return replace_texts(args->host) != CAIRN_PLUGIN_OK ? CAIRN_PLUGIN_FAILED
                                                        : count_calls(args->host);
}
