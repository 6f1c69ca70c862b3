/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fields and files of one upload, as a list that is sent as multipart/form-data. Names are kept
 * to printable ASCII without the quote, since a part's name cannot be escaped in a way that every
 * server undoes; the first field of a name wins. Runs in a step of the sender.
 */
#ifndef CAIRN_PLUGINS_TRANSPORT_COMMON_FORM_H
#define CAIRN_PLUGINS_TRANSPORT_COMMON_FORM_H

#include <cairn/plugin.h>
#include <stdbool.h>

struct form_part {
    char *name;
    char *value;                  /* of a field; NULL for a file */
    char *path, *filename, *type; /* of a file */
};

struct form {
    struct form_part *parts;
    size_t count, capacity;
    bool failed;        /* no memory for a part: the form must not be sent */
    const char *folder; /* the report's; set with the minidump */
    int unpacked;       /* a file with the minidump if the report's is compressed; 0: none */
};

void form_finish(struct form *form);

/* True for a name that can be sent. */
bool form_name_is_usable(const char *name);

/* Adds a field unless there is one of that name, the name is not usable, or the value is empty. */
void form_field(struct form *form, const char *name, const char *value);
void form_value(struct form *form, const char *name, const struct cairn_value *value);

/* Adds the report's field at `path` (as host->get()) under `name`, if the report has it. */
void form_report_field(struct form *form, const struct cairn_transport_args *args, const char *name,
                       const char *path);

/* Adds what every server can take: the report's own facts and all attributes. */
void form_report(struct form *form, const struct cairn_transport_args *args);

/* Adds the first minidump as `part`, named <id>.dmp, unpacked if the report has none but a
 * compressed one; a preview shows that as it is. */
enum form_found { FORM_FOUND, FORM_HAS_NONE, FORM_FAILED /* host->fail() has said why */ };
enum form_found form_minidump(struct form *form, const struct cairn_transport_args *args,
                              const char *part);

/* Adds all artifacts but that minidump, each as `prefix` and its name. */
void form_attachments(struct form *form, const struct cairn_transport_args *args,
                      const char *prefix);

#endif
