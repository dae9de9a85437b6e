/* A disk that takes its time, for LD_PRELOAD: every fsync() and fdatasync() lasts $ECOGOV_FSYNC_MS longer.
 * While the file $ECOGOV_FSYNC_GATE names is not there, none does, so that the bench chooses the moment.
 * Knows nothing of who calls. */
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void dawdle(void)
{
    const char *ms = getenv("ECOGOV_FSYNC_MS"), *gate = getenv("ECOGOV_FSYNC_GATE");
    if (!ms || (gate && access(gate, F_OK) != 0))
        return;
    long wait = strtol(ms, NULL, 10);
    nanosleep(&(struct timespec){wait / 1000, wait % 1000 * 1000000}, NULL);
}

/* dlsym() gives an object pointer; ISO C wants it copied into a function pointer. */
static int real(const char *name, int fd)
{
    int (*function)(int) = NULL;
    void *symbol = dlsym(RTLD_NEXT, name);
    memcpy(&function, &symbol, sizeof function);
    return function ? function(fd) : -1;
}

int fsync(int fd)
{
    dawdle();
    return real("fsync", fd);
}

int fdatasync(int fd)
{
    dawdle();
    return real("fdatasync", fd);
}
