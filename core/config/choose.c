/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which pipeline a crash takes: the first whose patterns fit. Engine, tools.
 */
#include "core/config/config.h"

#include "core/util/text.h"

#include <fnmatch.h>
#include <string.h>

/* Without patterns everything fits, with patterns nothing that is not known. A "*" matches "/" too:
 * "/opt/shop/" and a star are all of that tree. */
static bool fits(char *const *patterns, size_t count, const char *value)
{
    for (size_t i = 0; i < count && value != NULL; i++) {
        if (fnmatch(patterns[i], value, 0) == 0) {
            return true;
        }
    }
    return count == 0;
}

static bool fits_executable(const struct config_match *match, const char *executable)
{
    for (size_t i = 0; i < match->executable_count && executable != NULL; i++) {
        const char *pattern = match->executables[i];
        const char *value = strchr(pattern, '/') != NULL ? executable : text_base_name(executable);

        if (fnmatch(pattern, value, 0) == 0) {
            return true;
        }
    }
    return match->executable_count == 0;
}

const struct config_pipeline *config_choose(const struct config *config, const char *executable,
                                            const char *user, const char *application)
{
    for (size_t i = 0; i < config->pipeline_count; i++) {
        const struct config_match *match = &config->pipelines[i].match;

        if (fits_executable(match, executable) && fits(match->users, match->user_count, user) &&
            fits(match->applications, match->application_count, application)) {
            return &config->pipelines[i];
        }
    }
    return NULL;
}
