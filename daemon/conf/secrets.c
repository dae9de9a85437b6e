/* Reads what must not stand in the configuration: the first line of a file, or of a credential that systemd hands over. Refuses to
 * follow anything but a regular file. Called by channels.c and resolve.c. */
#include <conf/resolve.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX 4096
#define CREDENTIAL "credential:"

/* Where it lies; false after a fault. */
static bool place_of(struct eg_resolve *resolve, const yaml_node_t *node, const char *text,
                     char path[PATH_MAX])
{
    if (strncmp(text, CREDENTIAL, sizeof CREDENTIAL - 1) != 0) {
        const char *absolute = eg_resolve_path(resolve, text);
        return absolute && snprintf(path, PATH_MAX, "%s", absolute) < PATH_MAX;
    }
    const char *name = text + sizeof CREDENTIAL - 1, *folder = getenv("CREDENTIALS_DIRECTORY");
    if (!*name || strchr(name, '/')) {
        eg_resolve_fault(resolve, node, "'%.60s' is no name of a credential", name);
        return false;
    }
    if (!folder) {
        eg_resolve_fault(
            resolve, node,
            "the credential '%.60s' is handed over by systemd (LoadCredential=) to the service only", name);
        return false;
    }
    return snprintf(path, PATH_MAX, "%s/%s", folder, name) < PATH_MAX;
}

static char *first_line(struct eg_resolve *resolve, int file)
{
    char text[SECRET_MAX + 1];
    ssize_t length = read(file, text, sizeof text - 1);
    char *kept = NULL;
    if (length > 0) {
        text[length] = '\0';
        text[strcspn(text, "\r\n")] = '\0';
        kept = *text && strlen(text) < SECRET_MAX ? eg_resolve_text(resolve, text) : NULL;
    }
    explicit_bzero(text, sizeof text);
    return kept;
}

const char *eg_resolve_secret(struct eg_resolve *resolve, const yaml_node_t *mapping, const char *key,
                              const char *text)
{
    char path[PATH_MAX];
    struct stat about;
    const yaml_node_t *node = eg_resolve_node(resolve, mapping, key);
    if (!text || !resolve->loaded->from_disk || !place_of(resolve, node, text, path))
        return NULL;
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (file < 0) {
        eg_resolve_fault(resolve, node, "%.200s cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    const char *secret = NULL;
    if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode))
        eg_resolve_fault(resolve, node, "%.200s is no file", path);
    else if (!(secret = first_line(resolve, file)))
        eg_resolve_fault(resolve, node, "%.200s has no first line of 1 to %d bytes", path, SECRET_MAX - 1);
    close(file);
    return secret;
}
