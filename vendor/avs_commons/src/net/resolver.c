/* SPDX-License-Identifier: Apache-2.0 */
/** Names to addresses without blocking: getaddrinfo() on a thread, its end told through an eventfd. */
#include "net_internal.h"

#include <avsystem/commons/avs_memory.h>
#include <avsystem/commons/avs_utils.h>

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct resolver {
    atomic_int owners; /**< the socket and the thread: the last one frees */
    atomic_bool done;
    int fd;
    int family;
    char *host;
    char port[8];
    int error;
    struct addrinfo *addresses;
};

static void release(resolver_t *resolver) {
    if (atomic_fetch_sub(&resolver->owners, 1) > 1) {
        return;
    }
    if (resolver->addresses) {
        freeaddrinfo(resolver->addresses);
    }
    close(resolver->fd);
    avs_free(resolver->host);
    avs_free(resolver);
}

static void *resolve(void *resolver_ptr) {
    resolver_t *resolver = (resolver_t *) resolver_ptr;
    const struct addrinfo hints = { .ai_family = resolver->family,
                                    .ai_socktype = SOCK_DGRAM,
                                    .ai_flags = AI_ADDRCONFIG | AI_NUMERICSERV };
    resolver->error = getaddrinfo(resolver->host, resolver->port, &hints, &resolver->addresses);
    atomic_store(&resolver->done, true);
    eventfd_write(resolver->fd, 1);
    release(resolver);
    return NULL;
}

resolver_t *resolver_start(const char *host, const char *port, int family) {
    resolver_t *resolver = (resolver_t *) avs_calloc(1, sizeof(*resolver));
    if (!resolver) {
        return NULL;
    }
    resolver->owners = 2;
    resolver->family = family;
    resolver->host = avs_strdup(host);
    avs_simple_snprintf(resolver->port, sizeof(resolver->port), "%s", port);
    resolver->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    /* signals are the program's: none may be delivered to this thread */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const bool started =
            resolver->host && resolver->fd >= 0 && !pthread_create(&thread, &attr, resolve, resolver);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    if (!started) {
        resolver->owners = 1;
        release(resolver);
        return NULL;
    }
    return resolver;
}

int resolver_fd(const resolver_t *resolver) {
    return resolver->fd;
}

int resolver_result(resolver_t *resolver, struct addrinfo **out) {
    if (!atomic_load(&resolver->done)) {
        return 0;
    }
    *out = resolver->addresses;
    resolver->addresses = NULL;
    if (resolver->error || !*out) {
        net_log(ERROR, "%s: %s", resolver->host, gai_strerror(resolver->error));
        return -1;
    }
    return 1;
}

void resolver_abandon(resolver_t **resolver) {
    if (*resolver) {
        release(*resolver);
        *resolver = NULL;
    }
}
