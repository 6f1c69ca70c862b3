/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cairn-engine report: the mode that the monitor starts, with the folder it filled and locked.
 * Answers "committed <state>" or "dropped" on standard output right after the commit. [engine]
 */
#include "core/engine/engine.h"

#include "core/util/fault.h"
#include "core/util/log.h"
#include "core/util/text.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* A service that is stopped because its main process crashed: systemd sends SIGTERM to the engine,
 * too. The report comes first. */
static void ignore_endings(void)
{
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
}

/* The answer's descriptor, out of the reach of whatever a plugin prints. */
static int take_answer(void)
{
    int answer = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    if (null >= 0) {
        dup2(null, STDOUT_FILENO);
        close(null);
    }
    return answer;
}

static int split_folder(const char *folder, char **ret_application_folder, char ret_id[37],
                        struct error *error)
{
    char *states = engine_parent(folder);
    char *application = states != NULL ? engine_parent(states) : NULL;

    if (application == NULL || folder[0] != '/' ||
        strcmp(text_base_name(states), spool_state_name(SPOOL_INCOMING)) != 0 ||
        !text_copy(ret_id, 37, text_base_name(folder))) {
        free(states);
        free(application);
        return error_set(error, CAIRN_EINVAL,
                         "%s is not the absolute path of a report's folder in incoming/.", folder);
    }
    free(states);
    *ret_application_folder = application;
    return 0;
}

int engine_report(const struct engine_options *options)
{
    char *application_folder = NULL, id[37];
    int answer_fd = take_answer(), result;
    struct engine_run run;
    struct error error;

    ignore_endings();
    if (options->place_fd >= 0) {
        fcntl(options->place_fd, F_SETFD, FD_CLOEXEC); /* a sender needs no place */
    }
    fault_point("engine.begun");
    result = split_folder(options->folder, &application_folder, id, &error);
    if (result == 0) {
        result = engine_run_init(&run, options, application_folder, id, options->lock_fd, &error);
        free(application_folder);
    }
    if (result != 0) {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
        return error_exit_code(result);
    }
    result = engine_pipeline(&run, answer_fd, &error);
    if (answer_fd >= 0) {
        close(answer_fd);
    }
    if (result == 0) {
        engine_deliver(&run);
    } else {
        log_line(LOG_LEVEL_ERROR, "%s", error.text);
    }
    engine_run_finish(&run);
    return error_exit_code(result);
}
