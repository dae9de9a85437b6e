/* Knows bytes and lines on the socket. Refuses to know JSON. Called by session.c. */
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

int wire_open(const char *path, struct wire *ret_wire, struct eg_err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return eg_err_set(err, EG_EINVAL, "%s: a socket's path has at most %zu bytes.", path,
                          sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, strlen(path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        int cause = errno;
        if (fd >= 0)
            close(fd);
        const char *hint = cause == ENOENT         ? " Is ecogovd running? -s names another socket."
                           : cause == ECONNREFUSED ? " ecogovd is not running."
                           : cause == EACCES
                               ? " Only members of its group may: ask to be added to group ecogov."
                               : "";
        return eg_err_set(err, EG_EIO, "%s: cannot reach the daemon: %s.%s", path, strerror(cause), hint);
    }
    *ret_wire = (struct wire){.fd = fd};
    eg_buf_init(&ret_wire->in, WIRE_LINE_MAX);
    return EG_OK;
}

void wire_close(struct wire *wire)
{
    close(wire->fd);
    eg_buf_finish(&wire->in);
}

static int send_all(struct wire *wire, const char *data, size_t length, struct eg_err *err)
{
    while (length) {
        ssize_t sent = send(wire->fd, data, length, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0)
            return eg_err_set(err, EG_EIO, "The daemon hung up: %s.", strerror(errno));
        data += sent;
        length -= (size_t)sent;
    }
    return EG_OK;
}

int wire_send(struct wire *wire, const char *line, size_t length, struct eg_err *err)
{
    int code = send_all(wire, line, length, err);
    return code < 0 ? code : send_all(wire, "\n", 1, err);
}

static int more(struct wire *wire, int patience_ms, struct eg_err *err)
{
    char piece[65536];
    struct pollfd ready = {.fd = wire->fd, .events = POLLIN};
    int rc = poll(&ready, 1, patience_ms);
    if (rc < 0 && errno == EINTR)
        return EG_OK;
    if (rc == 0)
        return eg_err_set(err, EG_EIO, "The daemon has said nothing for %d s.", patience_ms / 1000);
    ssize_t got = rc < 0 ? -1 : recv(wire->fd, piece, sizeof piece, 0);
    if (got < 0)
        return errno == EINTR ? EG_OK
                              : eg_err_set(err, EG_EIO, "Reading from the daemon: %s.", strerror(errno));
    if (got == 0)
        return eg_err_set(err, EG_EIO, "The daemon hung up before its answer was whole.");
    if (!eg_buf_add(&wire->in, piece, (size_t)got))
        return eg_err_set(err, EG_EIO, "The daemon's answer is longer than %zu bytes.", WIRE_LINE_MAX);
    return EG_OK;
}

int wire_line(struct wire *wire, int patience_ms, const char **ret_line, size_t *ret_length,
              struct eg_err *err)
{
    size_t seen = 0;
    /* Lines of an export are many and short: drop what was taken only when nothing whole is left behind it. */
    for (;;) {
        char *begin = wire->in.length ? wire->in.data + wire->taken : NULL;
        size_t left = wire->in.length - wire->taken;
        char *end = begin ? memchr(begin + seen, '\n', left - seen) : NULL;
        if (end) {
            *end = '\0';
            *ret_line = begin;
            *ret_length = (size_t)(end - begin);
            wire->taken += *ret_length + 1;
            return EG_OK;
        }
        eg_buf_drop(&wire->in, wire->taken);
        wire->taken = 0;
        seen = wire->in.length;
        int code = more(wire, patience_ms, err);
        if (code < 0)
            return code;
    }
}
