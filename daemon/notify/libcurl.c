/* Loading libcurl (libcurl.h). Knows its functions by name; what they are for, transfer.c and the ways know. Called by transfer.c. */
#include <notify/libcurl.h>

#include <dlfcn.h>
#include <string.h>

int eg_libcurl_load(const char *file, struct eg_libcurl *ret, struct eg_err *err)
{
    void *library = dlopen(file, RTLD_NOW | RTLD_LOCAL), *found;
    if (!library)
        return eg_err_set(err, EG_EIO, "webhooks and mail need libcurl (Debian: libcurl4): %.150s",
                          dlerror());
        /* A pointer to a function is read from the bytes of what dlsym() gives: C knows no conversion. */
#define FIND(name)                                                                                           \
    if (!(found = dlsym(library, "curl_" #name))) {                                                          \
        dlclose(library);                                                                                    \
        return eg_err_set(err, EG_EIO,                                                                       \
                          "%s has no curl_" #name "(): webhooks and mail need libcurl 7.85 "                 \
                          "or newer",                                                                        \
                          file);                                                                             \
    }                                                                                                        \
    memcpy(&ret->name, &found, sizeof found);
    EG_LIBCURL_FUNCTIONS(FIND)
#undef FIND
    if (ret->global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return eg_err_set(err, EG_ENOMEM, "no memory for libcurl");
    return EG_OK;
}
