/* libcurl, loaded when the configuration needs it: with all it brings along (three TLS libraries, Kerberos, LDAP) it takes two fifths of an
 * idle daemon's memory, and many a gateway has no webhook and no mail. Private to the room. */
#ifndef EG_LIBCURL_H
#define EG_LIBCURL_H

#include <base/err.h>
#include <curl/curl.h>

#define EG_LIBCURL "libcurl.so.4" /* the ABI since 2006 */
/* Every function that is used, without its curl_. */
#define EG_LIBCURL_FUNCTIONS(F)                                                                              \
    F(global_init)                                                                                           \
    F(global_cleanup)                                                                                        \
    F(easy_init)                                                                                             \
    F(easy_setopt)                                                                                           \
    F(easy_getinfo)                                                                                          \
    F(easy_cleanup)                                                                                          \
    F(easy_strerror)                                                                                         \
    F(mime_init)                                                                                             \
    F(mime_addpart)                                                                                          \
    F(mime_data)                                                                                             \
    F(mime_type)                                                                                             \
    F(mime_encoder)                                                                                          \
    F(mime_subparts)                                                                                         \
    F(mime_free)                                                                                             \
    F(slist_append)                                                                                          \
    F(slist_free_all)                                                                                        \
    F(multi_init)                                                                                            \
    F(multi_setopt)                                                                                          \
    F(multi_add_handle)                                                                                      \
    F(multi_remove_handle)                                                                                   \
    F(multi_assign)                                                                                          \
    F(multi_socket_action)                                                                                   \
    F(multi_info_read)                                                                                       \
    F(multi_cleanup)
struct eg_libcurl {
#define EG_LIBCURL_POINTER(name) __typeof__(&curl_##name) name;
    EG_LIBCURL_FUNCTIONS(EG_LIBCURL_POINTER)
#undef EG_LIBCURL_POINTER
};
/* Fills the table and initialises the library, which then stays until the process ends. `file`: EG_LIBCURL. EG_EIO: it is not there, or not
 * whole. */
int eg_libcurl_load(const char *file, struct eg_libcurl *ret, struct eg_err *err);

#endif
