/* Texts with placeholders: "{site}" stands for a value, "{{" for a brace. A line all of whose placeholders are empty is left out, so that
 * a text need not say what is not known. Nothing is ever evaluated. */
#ifndef EG_TEMPLATE_H
#define EG_TEMPLATE_H
#include <base/buf.h>
/* The value of a name; "" for none. */
typedef const char *(*eg_template_value)(void *user, const char *name, size_t length);
/* NULL: every placeholder is one of `names` (which ends with NULL); else where the first bad one begins. */
const char *eg_template_check(const char *text, const char *const *names);
void eg_template_fill(const char *text, eg_template_value value, void *user, struct eg_buf *out);
#endif
