/* A clock under a test's thumb, by LD_PRELOAD. Knows a file of three numbers, named by ECOGOV_CLOCK: by how many milliseconds the wall
 * clock is wrong, whether the kernel says it is synchronised, and the number of the machine's start. They may change at any time. Time
 * since the start of the machine is left as it is. Refuses to know who asks. */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

struct numbers {
    volatile int64_t wrong_ms, synchronised, boot;
};

int clock_gettime(clockid_t id, struct timespec *now);
int adjtimex(struct timex *state);
FILE *fopen(const char *path, const char *mode);

static const struct numbers *numbers(void)
{
    static const struct numbers *mapped;
    const char *path = getenv("ECOGOV_CLOCK");
    if (mapped || !path)
        return mapped;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    void *map = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof *mapped, PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0)
        close(fd);
    if (map != MAP_FAILED)
        mapped = map;
    return mapped;
}

int clock_gettime(clockid_t id, struct timespec *now)
{
    long failed = syscall(SYS_clock_gettime, id, now);
    const struct numbers *given = failed || id != CLOCK_REALTIME ? NULL : numbers();
    if (given) {
        int64_t ms = (int64_t)now->tv_sec * 1000 + now->tv_nsec / 1000000 + given->wrong_ms;
        now->tv_sec = ms / 1000;
        now->tv_nsec = now->tv_nsec % 1000000 + ms % 1000 * 1000000;
    }
    return (int)failed;
}

int adjtimex(struct timex *state)
{
    const struct numbers *given = numbers();
    memset(state, 0, sizeof *state);
    state->status = given && given->synchronised ? 0 : STA_UNSYNC;
    return given && given->synchronised ? TIME_OK : TIME_ERROR;
}

FILE *fopen(const char *path, const char *mode)
{
    static char boot[40];
    const struct numbers *given = numbers();
    if (given && !strcmp(path, "/proc/sys/kernel/random/boot_id")) {
        snprintf(boot, sizeof boot, "boot-%lld\n", (long long)given->boot);
        return fmemopen(boot, strlen(boot), "r");
    }
    int flags = mode[0] == 'r'   ? O_RDONLY
                : mode[0] == 'w' ? O_WRONLY | O_CREAT | O_TRUNC
                                 : O_WRONLY | O_CREAT | O_APPEND;
    int fd = open(path, flags | O_CLOEXEC, 0666);
    return fd < 0 ? NULL : fdopen(fd, mode);
}
