/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded: whatever server a program has compiled in, it meets the one on loopback. Port 5684 becomes LOOPBACK_SECURE, any
 * other port LOOPBACK_PLAIN. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dlfcn.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

typedef int resolve_t(const char *, const char *, const struct addrinfo *, struct addrinfo **);
typedef int connect_t(int, const struct sockaddr *, socklen_t);

int getaddrinfo(const char *node, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    resolve_t *resolve = (resolve_t *) dlsym(RTLD_NEXT, "getaddrinfo");
    struct addrinfo plain = { .ai_family = hints ? hints->ai_family : 0, .ai_socktype = hints ? hints->ai_socktype : 0 };
    plain.ai_flags = plain.ai_family == AF_INET6 ? AI_V4MAPPED : 0;
    return node ? resolve("127.0.0.1", service, &plain, found) : resolve(node, service, hints, found);
}

int connect(int fd, const struct sockaddr *address, socklen_t length) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } to;
    if (length <= sizeof to && (address->sa_family == AF_INET || address->sa_family == AF_INET6)) {
        memcpy(&to, address, length);
        in_port_t *port = address->sa_family == AF_INET ? &to.v4.sin_port : &to.v6.sin6_port;
        const char *wanted = getenv(*port == htons(5684) ? "LOOPBACK_SECURE" : "LOOPBACK_PLAIN");
        if (wanted) {
            *port = htons((in_port_t) atoi(wanted));
        }
        address = &to.any;
    }
    return ((connect_t *) dlsym(RTLD_NEXT, "connect"))(fd, address, length);
}
