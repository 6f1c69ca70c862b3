/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text of faults.json: {"annotator.system": {"faults": 2, "identity": "…"}}. Engine, sender.
 */
#include "core/report/faults.h"
#include "core/report/report_inner.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

#define MAX_FAULTS 1000000

static cJSON *parse(const char *text, size_t bytes)
{
    cJSON *root = report_is_modest(text, bytes) ? cJSON_ParseWithLength(text, bytes) : NULL;

    if (cJSON_IsObject(root)) {
        return root;
    }
    cJSON_Delete(root);
    return NULL;
}

unsigned report_json_faults(const char *text, size_t bytes, const char *key, const char *identity)
{
    cJSON *root = parse(text, bytes);
    const cJSON *entry = cJSON_GetObjectItemCaseSensitive(root, key);
    const cJSON *faults = cJSON_GetObjectItemCaseSensitive(entry, "faults");
    const cJSON *known = cJSON_GetObjectItemCaseSensitive(entry, "identity");
    unsigned count = 0;

    if (cJSON_IsNumber(faults) && faults->valuedouble >= 1 && faults->valuedouble <= MAX_FAULTS &&
        cJSON_IsString(known) && (identity == NULL || strcmp(known->valuestring, identity) == 0)) {
        count = (unsigned)faults->valuedouble;
    }
    cJSON_Delete(root);
    return count;
}

static bool put(cJSON *root, const char *key, const char *identity, unsigned count)
{
    cJSON *entry;

    cJSON_DeleteItemFromObjectCaseSensitive(root, key);
    if (count == 0) {
        return true;
    }
    entry = cJSON_AddObjectToObject(root, key);
    return entry != NULL && cJSON_AddNumberToObject(entry, "faults", count) != NULL &&
           cJSON_AddStringToObject(entry, "identity", identity) != NULL;
}

char *report_json_set_faults(const char *text, size_t bytes, const char *key, const char *identity,
                             unsigned count)
{
    cJSON *root = parse(text, bytes);
    char *printed = NULL;

    if (root == NULL) {
        root = cJSON_CreateObject();
    }
    if (root != NULL && put(root, key, identity, count)) {
        printed = cJSON_Print(root);
    }
    cJSON_Delete(root);
    return printed;
}
