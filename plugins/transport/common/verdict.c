/* SPDX-License-Identifier: Apache-2.0 */
/* What an answer means for the report; see verdict.h. */
#include "plugins/transport/common/verdict.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#define MAX_ID      128
#define MAX_MESSAGE 200

/* What the body says. */
struct saying {
    bool understood; /* it has a form that is known */
    bool refused;    /* it says no, whatever the status says */
    char id[MAX_ID + 1];
    char message[MAX_MESSAGE + 1];
};

/* Copies the first line without blanks around it; anything unprintable becomes a blank. */
static void copy_line(char *target, size_t capacity, const char *text)
{
    size_t length;

    text += strspn(text, " \t\r\n");
    length = strcspn(text, "\r\n");
    while (length > 0 && text[length - 1] == ' ') {
        length--;
    }
    length = length < capacity ? length : capacity - 1;
    for (size_t i = 0; i < length; i++) {
        target[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : ' ';
    }
    target[length] = '\0';
}

static void read_id(const cJSON *object, struct saying *saying)
{
    static const char *const names[] = { "_rxid", "id", "crash_id", "crashId", "crashID" };

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, names[i]);

        if (cJSON_IsString(item)) {
            copy_line(saying->id, sizeof(saying->id), item->valuestring);
            return;
        }
        if (cJSON_IsNumber(item) && fabs(item->valuedouble) < 1e15) {
            snprintf(saying->id, sizeof(saying->id), "%.0f", item->valuedouble);
            return;
        }
    }
}

/* "error": {"message": …, "code": …} or "error": "…"; else "message" or "detail" of the object. */
static void read_message(const cJSON *object, struct saying *saying)
{
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(object, "error");
    const cJSON *text =
        cJSON_IsObject(error) ? cJSON_GetObjectItemCaseSensitive(error, "message") : error;

    if (!cJSON_IsString(text)) {
        text = cJSON_GetObjectItemCaseSensitive(object, "message");
    }
    if (!cJSON_IsString(text)) {
        text = cJSON_GetObjectItemCaseSensitive(object, "detail");
    }
    if (cJSON_IsString(text)) {
        copy_line(saying->message, sizeof(saying->message), text->valuestring);
    }
}

static void read_json(const struct http_answer *answer, struct saying *saying)
{
    cJSON *object = cJSON_ParseWithLength(answer->body, answer->bytes);
    const cJSON *error, *response;

    if (!cJSON_IsObject(object)) {
        cJSON_Delete(object);
        return;
    }
    error = cJSON_GetObjectItemCaseSensitive(object, "error");
    response = cJSON_GetObjectItemCaseSensitive(object, "response");
    saying->understood = true;
    saying->refused = cJSON_IsObject(error) || cJSON_IsString(error) || cJSON_IsTrue(error) ||
                      (cJSON_IsString(response) && strcmp(response->valuestring, "ok") != 0);
    read_id(object, saying);
    read_message(object, saying);
    cJSON_Delete(object);
}

/* Antenna's lines: CrashID=… or Discarded=…. */
static void read_lines(const char *body, struct saying *saying)
{
    if (strncmp(body, "CrashID=", 8) == 0) {
        saying->understood = true;
        copy_line(saying->id, sizeof(saying->id), body + 8);
    } else if (strncmp(body, "Discarded=", 10) == 0) {
        saying->understood = true;
        saying->refused = true;
        copy_line(saying->message, sizeof(saying->message), body);
    }
}

/* A body that is one short line of printable text without markup. */
static bool is_short_text(const char *body)
{
    size_t length = strcspn(body, "\r\n");

    if (length == 0 || length > MAX_ID || body[0] == '<' ||
        body[length + strspn(body + length, "\r\n")] != '\0') {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        if (body[i] < ' ' || body[i] > '~') {
            return false;
        }
    }
    return true;
}

static void read_body(const struct http_answer *answer, bool text_is_id, struct saying *saying)
{
    const char *body = answer->body;

    if (body == NULL || answer->cut || strlen(body) != answer->bytes) {
        return;
    }
    body += strspn(body, " \t\r\n");
    if (*body == '{') {
        read_json(answer, saying);
        return;
    }
    read_lines(body, saying);
    if (saying->understood || !is_short_text(body)) {
        return;
    }
    if (text_is_id && answer->code / 100 == 2) {
        saying->understood = true;
        copy_line(saying->id, sizeof(saying->id), body);
    } else {
        copy_line(saying->message, sizeof(saying->message), body);
    }
}

static int outcome_of(int code, bool refused)
{
    switch (code) {
    case 0:   /* no answer */
    case 407: /* the proxy's, not the server's: hold the report until its credentials are right */
    case 408:
    case 425:
    case 429:
        return CAIRN_RETRY;
    default:
        break;
    }
    if (code >= 200 && code < 300) {
        return refused ? CAIRN_REJECTED : CAIRN_DELIVERED;
    }
    return code >= 400 && code < 500 ? CAIRN_REJECTED : CAIRN_RETRY;
}

static void write_error(struct cairn_transport_args *args, const struct http_answer *answer,
                        const struct saying *saying, const char *hint)
{
    const char *message = saying->message, *separator = message[0] != '\0' ? ": " : "";

    if (answer->code == 0) {
        snprintf(args->error, sizeof(args->error), "%s", answer->error);
    } else if (answer->code >= 300 && answer->code < 400) {
        snprintf(args->error, sizeof(args->error),
                 "%s redirects elsewhere (status %d), which Cairn does not follow: the "
                 "configuration must name the new address.",
                 answer->server, answer->code);
    } else if (answer->code < 300) {
        snprintf(args->error, sizeof(args->error), "%s took the upload and refused the report%s%s.",
                 answer->server, separator, message);
    } else {
        snprintf(args->error, sizeof(args->error), "%s answered with status %d%s%s%s.",
                 answer->server, answer->code, separator, message,
                 answer->code == 503 && hint != NULL ? hint : "");
    }
}

void verdict_give(struct cairn_transport_args *args, const struct http_answer *answer,
                  const char *url, const struct verdict_manners *manners)
{
    struct saying saying = { .understood = false };

    if (answer->shown) {
        args->outcome = CAIRN_DELIVERED;
        return;
    }
    read_body(answer, manners->text_is_id, &saying);
    http_redact(saying.message, url);
    args->outcome = outcome_of(answer->code, saying.refused);
    args->response_code = answer->code;
    args->retry_after = args->outcome == CAIRN_RETRY ? answer->retry_after : 0;
    if (args->outcome == CAIRN_DELIVERED) {
        snprintf(args->server_id, sizeof(args->server_id), "%s", saying.id);
        if (!saying.understood) {
            args->host->log(args->host, CAIRN_LOG_WARNING,
                            "%s took the report but its answer of %zu bytes names no id.",
                            answer->server, answer->bytes);
        }
    } else {
        write_error(args, answer, &saying, manners->unavailable_hint);
    }
}
