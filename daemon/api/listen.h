/* The socket's file: made, guarded, removed. */
#ifndef EG_API_LISTEN_H
#define EG_API_LISTEN_H
#include <base/err.h>
/* Binds `path` with mode 0660 and group ecogov where it exists, and listens. A stale file is removed, a live
 * one refused. */
int eg_listen_open(const char *path, int *ret_fd, struct eg_err *err);
#endif
