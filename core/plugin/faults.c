/* SPDX-License-Identifier: Apache-2.0 */
/* Counts the faults of instances; see faults.h. Engine and sender. */
#include "core/plugin/faults.h"

#include "core/plugin/intake.h"
#include "core/report/faults.h"
#include "core/util/fs.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define FILE_NAME      "faults.json"
#define FILE_LIMIT     (256u * 1024)
#define IDENTITY_LIMIT (1024u * 1024)

struct entry {
    char key[96];      /* "annotator.system" */
    char identity[65]; /* of the plugin's file and the instance's configuration */
    char *text;        /* of the file; NULL: there is none */
    size_t bytes;
};

/* Everything below an instance's node, with lengths, so that no two trees look alike. */
static void add_node(struct buf *buf, const struct config_node *node)
{
    for (const struct config_node *child = node->first; child != NULL; child = child->next) {
        const char *key = child->key != NULL ? child->key : "";
        const char *text = child->text != NULL ? child->text : "";

        buf_printf(buf, "%d %zu %zu:", (int)child->kind, strlen(key), strlen(text));
        buf_text(buf, key);
        buf_text(buf, text);
        add_node(buf, child); /* no deeper than CONFIG_MAX_DEPTH */
        buf_text(buf, ";");
    }
}

static bool identify(const struct step_request *request, char ret_identity[65])
{
    struct stat status;
    struct buf buf;
    bool done;

    if (fstat(request->plugin_fd, &status) != 0) {
        return false;
    }
    buf_init(&buf, IDENTITY_LIMIT);
    buf_printf(&buf, "%s %llx %lld %lld.%09ld ", request->facts->path,
               (unsigned long long)status.st_ino, (long long)status.st_size,
               (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
    if (request->instance->node != NULL) {
        add_node(&buf, request->instance->node);
    }
    done = buf.failed == 0;
    if (done) {
        text_sha256(buf.data, buf.bytes, ret_identity);
    }
    buf_finish(&buf);
    return done;
}

/* What the file says; most of the time there is none, and nothing else is looked at. */
static bool open_entry(int application_fd, const struct step_request *request, bool wanted,
                       struct entry *ret_entry)
{
    struct entry entry = { .text = NULL };

    if (fs_read_file(application_fd, FILE_NAME, FILE_LIMIT, &entry.text, &entry.bytes, NULL) != 0) {
        entry.text = NULL;
    }
    if ((entry.text == NULL && !wanted) || !identify(request, entry.identity)) {
        free(entry.text);
        return false;
    }
    snprintf(entry.key, sizeof(entry.key), "%s.%s", config_kind(request->instance->kind),
             request->instance->id);
    *ret_entry = entry;
    return true;
}

static unsigned faults_of(const struct entry *entry, const char *identity)
{
    return entry->text != NULL ? report_json_faults(entry->text, entry->bytes, entry->key, identity)
                               : 0;
}

/* Without a lock: of two that count at once one may be lost, which changes nothing in the end. */
static void save(int application_fd, const struct entry *entry, unsigned count)
{
    struct error error = { 0, "" };
    char *text = report_json_set_faults(entry->text != NULL ? entry->text : "", entry->bytes,
                                        entry->key, entry->identity, count);

    if (text != NULL &&
        fs_replace_file(application_fd, FILE_NAME, text, strlen(text), &error) != 0) {
        log_line(LOG_LEVEL_WARNING, "%s", error.text);
    }
    free(text);
}

bool faults_set_aside(int application_fd, const struct step_request *request,
                      struct step_result *ret_result)
{
    struct entry entry;
    unsigned count;

    if (!open_entry(application_fd, request, false, &entry)) {
        return false;
    }
    count = faults_of(&entry, entry.identity);
    free(entry.text);
    if (count < FAULTS_LIMIT) {
        return false;
    }
    *ret_result =
        (struct step_result){ .status = STEP_BROKEN, .action = CAIRN_KEEP, .outcome = CAIRN_RETRY };
    snprintf(ret_result->error, sizeof(ret_result->error),
             INTAKE_LABEL " is set aside until its file or its configuration changes: it went "
                          "wrong %u times in a row.",
             INTAKE_LABEL_OF(request->instance), count);
    return true;
}

/* An error that a plugin returns is no fault. Nor is it one to have had less time than its own. */
static bool is_fault(const struct step_request *request, const struct step_result *result)
{
    uint64_t timeout_us = request->instance->timeout_us;

    switch (result->status) {
    case STEP_OK:
    case STEP_UNSUPPORTED:
    case STEP_FAILED:
        return false;
    case STEP_TIMEOUT:
        return result->elapsed_us >= timeout_us - timeout_us / 10;
    case STEP_CRASHED:
    case STEP_EXITED:
    case STEP_OVERFLOW:
    case STEP_BROKEN:
        return true;
    }
    return false;
}

void faults_count(int application_fd, const struct step_request *request,
                  const struct step_result *result)
{
    bool fault = is_fault(request, result);
    struct entry entry;

    if ((!fault && result->status == STEP_TIMEOUT) ||
        !open_entry(application_fd, request, fault, &entry)) {
        return;
    }
    if (fault) {
        save(application_fd, &entry, faults_of(&entry, entry.identity) + 1);
    } else if (faults_of(&entry, NULL) != 0) {
        save(application_fd, &entry, 0);
    }
    free(entry.text);
}
