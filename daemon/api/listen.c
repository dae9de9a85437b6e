/* Knows how a listening Unix socket comes to lie at a path with the right owner and mode, and when a file
 * already there may be removed. Refuses to know who connects. Called by server.c. */
#include <api/listen.h>
#include <base/log.h>

#include <errno.h>
#include <grp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define GROUP "ecogov"
#define LOOKUP_BYTES 16384
#define BACKLOG 64

/* Only the last level: a missing tree means a wrong path, not a fresh machine. */
static int make_parent(const char *path, struct eg_err *err)
{
    char parent[sizeof((struct sockaddr_un *)0)->sun_path];
    snprintf(parent, sizeof parent, "%s", path);
    char *slash = strrchr(parent, '/');
    if (!slash || slash == parent)
        return EG_OK;
    *slash = '\0';
    if (mkdir(parent, 0755) == 0 || errno == EEXIST)
        return EG_OK;
    return eg_err_set(err, EG_EIO,
                      "Cannot make the folder %s of the socket: %s. Make it, or set socket.path.", parent,
                      strerror(errno));
}

/* A file is there: a socket nobody answers at is a dead daemon's and goes; anything else stays. */
static int make_way(const struct sockaddr_un *address, struct eg_err *err)
{
    const char *path = address->sun_path;
    struct stat status;
    if (lstat(path, &status) < 0)
        return EG_OK; /* bind() will say it better */
    if (!S_ISSOCK(status.st_mode))
        return eg_err_set(err, EG_EIO, "%s is there and is no socket; remove it, or set socket.path.", path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return eg_err_set(err, EG_EIO, "Cannot make a socket: %s.", strerror(errno));
    int answered = connect(fd, (const struct sockaddr *)address, sizeof *address);
    int why = errno;
    close(fd);
    if (answered == 0 || why == EAGAIN || why == EINPROGRESS)
        return eg_err_set(err, EG_EBUSY, "Another ecogovd answers at %s; stop it, or set socket.path.", path);
    if (why != ECONNREFUSED)
        return eg_err_set(err, EG_EIO, "Cannot tell whether somebody answers at %s: %s.", path,
                          strerror(why));
    if (unlink(path) < 0 && errno != ENOENT)
        return eg_err_set(err, EG_EIO, "Cannot remove the stale socket %s: %s.", path, strerror(errno));
    return EG_OK;
}

static void give_to_group(const char *path)
{
    struct group entry, *found = NULL;
    char *memory = malloc(LOOKUP_BYTES);
    if (memory && getgrnam_r(GROUP, &entry, memory, LOOKUP_BYTES, &found) == 0 && found &&
        chown(path, (uid_t)-1, found->gr_gid) < 0)
        eg_log(EG_LOG_WARNING, "The socket %s stays with its group, not " GROUP ": %s.", path,
               strerror(errno));
    free(memory);
}

int eg_listen_open(const char *path, int *ret_fd, struct eg_err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(path);
    if (length == 0 || length >= sizeof address.sun_path)
        return eg_err_set(err, EG_EINVAL, "socket.path is %zu bytes long; a Unix socket takes 1 to %zu.",
                          length, sizeof address.sun_path - 1);
    memcpy(address.sun_path, path, length + 1);
    int code = make_parent(path, err);
    if (code == EG_OK)
        code = make_way(&address, err);
    if (code < 0)
        return code;

    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return eg_err_set(err, EG_EIO, "Cannot make a socket: %s.", strerror(errno));
    if (bind(fd, (struct sockaddr *)&address, sizeof address) < 0) {
        code = eg_err_set(err, EG_EIO, "Cannot bind the socket %s: %s.", path, strerror(errno));
        close(fd);
        return code;
    }
    /* Nobody can connect before listen(): mode and group are right by then. */
    give_to_group(path);
    if (chmod(path, 0660) < 0 || listen(fd, BACKLOG) < 0) {
        code = eg_err_set(err, EG_EIO, "Cannot open the socket %s: %s.", path, strerror(errno));
        close(fd);
        unlink(path);
        return code;
    }
    *ret_fd = fd;
    return EG_OK;
}
