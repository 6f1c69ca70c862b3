/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small host for testing bundled plugins in the test's own process: loads a plugin from the build
 * tree, types its options from text by its own table, shows it a report made of canned data, and
 * keeps what it said and did. No isolation, no verification: that is core/plugin's.
 */
#ifndef CAIRN_TESTS_UNIT_PLUGIN_HARNESS_H
#define CAIRN_TESTS_UNIT_PLUGIN_HARNESS_H

#include <cairn/plugin.h>
#include <stdbool.h>

#define HARNESS_MAX 64

struct harness_named {
    char name[160];
    struct cairn_value value;
    char text[8192]; /* what value.string points to */
};

struct harness_table {
    struct harness_named *items; /* HARNESS_MAX of them */
    size_t count;
};

struct harness_file {
    const char *name, *data;
    size_t bytes;
};

struct harness {
    struct cairn_host host;
    void *library;
    const struct cairn_plugin *plugin;
    void *config;
    uint64_t deadline_us; /* CLOCK_MONOTONIC */

    /* the report: the test fills it */
    struct harness_table fields, attributes;
    const char *report_notes[HARNESS_MAX];
    struct cairn_frame frames[HARNESS_MAX];
    struct cairn_register registers[HARNESS_MAX];
    struct cairn_thread threads[HARNESS_MAX];
    struct cairn_module modules[HARNESS_MAX];
    struct cairn_breadcrumb breadcrumbs[HARNESS_MAX];
    struct cairn_artifact artifacts[HARNESS_MAX];
    size_t note_count, frame_count, register_count, thread_count, module_count, breadcrumb_count,
        artifact_count;
    struct harness_file files[8];
    size_t file_count;
    int dump_fd;            /* -1: none */
    const char *state_path; /* of the instance's state file; NULL: it cannot be had */

    /* what the plugin did */
    struct harness_table set; /* attributes; also "crash.message" and "breadcrumb.<index>" */
    char failure[1024];
    char problems[4096]; /* "option: sentence\n" */
    char log[16384];
    char notes[4096];
};

/* Loads <build>/plugins/<kind>/.libs/<name>.so with its defaults; a report of a crash is canned.
 * False when it cannot be loaded, with the reason on standard output. */
bool harness_open(struct harness *harness, const char *kind, const char *name);
void harness_close(struct harness *harness);

/* Sets an option from text; lists and maps ("key=value") grow by one with every call. */
void harness_option(struct harness *harness, const char *name, const char *text);
void harness_free_options(struct harness *harness);

/* The report's fields, as host->get() answers them, and its attributes ("attributes.…" too). */
void harness_field(struct harness *harness, const char *path, const char *value);
void harness_field_integer(struct harness *harness, const char *path, int64_t value);
void harness_field_address(struct harness *harness, const char *path, uint64_t value);
void harness_no_field(struct harness *harness, const char *path);
void harness_attribute(struct harness *harness, const char *name, const char *value);

/* The lifecycle around the kind's call; results as the call's. */
int harness_check(struct harness *harness);
int harness_decide(struct harness *harness, struct cairn_filter_args *ret_args);
int harness_annotate(struct harness *harness);
int harness_write(struct harness *harness, int fd);
int harness_run(struct harness *harness, const char *folder);
int harness_send(struct harness *harness, const char *folder,
                 struct cairn_transport_args *ret_args);

/* The attribute that the plugin set, as text; NULL if it did not. */
const char *harness_set_text(const struct harness *harness, const char *name);

uint64_t harness_now_us(void);

#endif
