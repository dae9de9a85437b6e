/* A disk under a test's thumb, by LD_PRELOAD. Knows a folder, named by ECOGOV_DISK; refuses to know whose files are written.
 *
 * While the folder holds a FIFO `gate`, fsync() and fdatasync() say "held" into the FIFO `events` and wait until the gate has been
 * opened for writing and closed. While it holds a file `full`, pwrite() finds no space left and says "full"; while it holds `broken`,
 * an I/O error, "broken".
 * Only regular files are touched by that: a socket or a terminal goes its way. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int fsync(int fd);
int fdatasync(int fd);
ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset);
ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset);

static bool path_of(const char *name, char out[512])
{
    const char *folder = getenv("ECOGOV_DISK");
    return folder && snprintf(out, 512, "%s/%s", folder, name) < 512;
}

static bool there(const char *name)
{
    char path[512];
    return path_of(name, path) && access(path, F_OK) == 0;
}

static void tell(const char *what)
{
    char path[512];
    int fd = path_of("events", path) ? open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    if (write(fd, what, strlen(what)) < 0) {
        /* nobody listens: then nobody waits for it either */
    }
    close(fd);
}

static void wait_at_gate(void)
{
    char path[512], byte;
    if (!there("gate") || !path_of("gate", path))
        return;
    tell("held\n");
    int fd = open(path, O_RDONLY | O_CLOEXEC); /* until the test opens the other end */
    if (fd < 0)
        return;
    while (read(fd, &byte, 1) > 0)
        ;
    close(fd);
}

int fsync(int fd)
{
    wait_at_gate();
    return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
    wait_at_gate();
    return (int)syscall(SYS_fdatasync, fd);
}

static bool refused(void)
{
    bool full = there("full");
    if (!full && !there("broken"))
        return false;
    tell(full ? "full\n" : "broken\n");
    errno = full ? ENOSPC : EIO;
    return true;
}

ssize_t pwrite(int fd, const void *bytes, size_t count, off_t offset)
{
    return refused() ? -1 : syscall(SYS_pwrite64, fd, bytes, count, offset);
}

ssize_t pwrite64(int fd, const void *bytes, size_t count, off64_t offset)
{
    return refused() ? -1 : syscall(SYS_pwrite64, fd, bytes, count, offset);
}
