/* The line to the daemon: one Unix stream socket, JSON-RPC 2.0, a line each way. Blocking; a client has nothing else to do. */
#ifndef EG_CTL_WIRE_H
#define EG_CTL_WIRE_H
#include <base/buf.h>
#include <base/err.h>
#include <stddef.h>

struct wire {
    int fd;
    struct eg_buf in; /* what came and was not taken yet; at most WIRE_LINE_MAX */
    size_t taken;     /* bytes at its front that belong to the line handed out last */
};
/* The daemon's answers are at most 8 MiB (docs/protocol.md). */
#define WIRE_LINE_MAX ((size_t)9 << 20)

int wire_open(const char *path, struct wire *ret_wire, struct eg_err *err);
void wire_close(struct wire *wire);
int wire_send(struct wire *wire, const char *line, size_t length, struct eg_err *err); /* adds the newline */
/* The next line without its newline, NUL-terminated, borrowed until the next call. Waits `patience_ms` (below 0: for ever) for each
 * bit of it. EG_EIO with a sentence when the daemon hangs up or says nothing. */
int wire_line(struct wire *wire, int patience_ms, const char **ret_line, size_t *ret_length,
              struct eg_err *err);
#endif
