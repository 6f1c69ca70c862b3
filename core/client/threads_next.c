/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pthread_create() and thrd_create(), as a shared library that stands in front of libc offers them
 * to the whole process: the preload library and libcairn-threads.so. [app]: runs in the creating
 * thread.
 */
#include "core/client/threads.h"

#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

/* A program that is linked as the static library wants it calls these names. */
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*routine)(void *), void *argument);
int __wrap_thrd_create(thrd_t *thread, thrd_start_t routine, void *argument);

/* What is behind us. Not at our start, because a program may load the library of threads later. */
static void *find_next(void **next, const char *name)
{
    void *found = __atomic_load_n(next, __ATOMIC_ACQUIRE);

    if (found == NULL) {
        found = dlsym(RTLD_NEXT, name);
        __atomic_store_n(next, found, __ATOMIC_RELEASE);
    }
    return found;
}

EXPORT int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*routine)(void *), void *argument)
{
    static void *symbol;
    void *found = find_next(&symbol, "pthread_create");
    client_create_fn *next;

    if (found == NULL) {
        return ENOSYS;
    }
    memcpy(&next, &found, sizeof(next));
    return client_thread_create(next, thread, attributes, routine, argument);
}

EXPORT int thrd_create(thrd_t *thread, thrd_start_t routine, void *argument)
{
    static void *symbol;
    void *found = find_next(&symbol, "thrd_create");
    client_create_c11_fn *next;

    if (found == NULL) {
        return thrd_error;
    }
    memcpy(&next, &found, sizeof(next));
    return client_thread_create_c11(next, thread, routine, argument);
}

EXPORT int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                 void *(*routine)(void *), void *argument)
{
    return pthread_create(thread, attributes, routine, argument);
}

EXPORT int __wrap_thrd_create(thrd_t *thread, thrd_start_t routine, void *argument)
{
    return thrd_create(thread, routine, argument);
}
