/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pthread_create() and thrd_create() in libcairn-threads.a: where all is one file nobody can stand
 * in front of another, so the linker puts these functions in libc's place (--wrap, see
 * cairn-threads.pc). [app]: runs in the creating thread.
 */
#include "core/client/threads.h"

client_create_fn __wrap_pthread_create, __real_pthread_create;
client_create_c11_fn __wrap_thrd_create, __real_thrd_create;

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*routine)(void *), void *argument)
{
    return client_thread_create(__real_pthread_create, thread, attributes, routine, argument);
}

int __wrap_thrd_create(thrd_t *thread, thrd_start_t routine, void *argument)
{
    return client_thread_create_c11(__real_thrd_create, thread, routine, argument);
}
